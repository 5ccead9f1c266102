"""How long the questions of the cookbook take on a month of 500,000 islands, beside a direct aggregate.

``python -m bench.cookbook [--islands N] [--active SHARE] [--days N] [--hours DAYS] [--keep HOME]``:
plain partitions on a PostgreSQL of its own. A month of hours of the active islands, with what is rolled up from them,
is made by set-based inserts: at full size 72 million rows and 12 GB of disk; ``--hours`` makes those of the last days
alone. Then each question of docs/cookbook.md is asked as an analyst, three times, and the median held against a
second; those that have one are held against the same answer straight from the hours of islands. ``--keep`` builds in
a folder and leaves the server there for the next run.
"""

import argparse
import asyncio
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from bench.parts.analytics import Size, build
from bench.parts.questions import Question, questions, values
from bench.parts.servers import postgres
from etl import embedded
from etl.engine.database import Connection, open_database
from etl.engine.migrate import migrate
from etl.settings import Settings

MOST = 1.0
TIMES = 3

DIRECT = {
    "Which tags had": """
select date_bin('1 day', h.ts, '2000-01-01 00:00:00+00'), u.tag, sum(h.ccu_sum)
from fortnite.ccu_hourly as h
join fortnite.island as i using (island_id)
cross join lateral unnest(i.tags) as u (tag)
where h.ts >= %(day)s::date - 6 and h.ts < %(day)s::date + 1
group by 1, 2
""",
    "How many play in all, day by day": """
select date_bin('1 day', h.ts, '2000-01-01 00:00:00+00'), sum(h.ccu_sum), max(h.peak)
from fortnite.ccu_hourly as h
where h.ts >= %(day)s::date - 6 and h.ts < %(day)s::date + 1
group by 1
""",
    "Who leads a week": """
select h.island_id, sum(h.ccu_sum) / sum(h.samples) as average
from fortnite.ccu_hourly as h
where h.ts >= %(day)s::date - 6 and h.ts < %(day)s::date + 1
group by 1 order by 2 desc limit 20
""",
}
"""By how the question begins; over seven days, as a month would take minutes."""


@contextmanager
def server(kept: Path | None) -> Iterator[str]:
    """URL of a database, on a server of its own or on that of a kept folder."""
    if kept is None:
        with postgres() as url:
            yield url
        return
    options = Settings(home=kept)
    embedded.up(options, ("postgres",))
    yield embedded.database_url(options)


async def measure(url: str, options: argparse.Namespace) -> bool:
    """Build what is not there, then ask; whether every question took a second at most."""
    migrate(url, Settings())
    slow = 0
    async with open_database(url, size=1) as db:
        there = await db.fetch_one("select exists(select from fortnite.ccu_group_hourly) as so")
        if not there["so"]:
            await build(db, Size(options.islands, options.active, options.days, options.hours))
        async with db.connection() as conn:
            chosen = await values(conn)
            await conn.execute("set role etl_analyst")
            for question in questions():
                seconds, rows = await ask(conn, question, chosen)
                slow += seconds > MOST
                print(f"   {seconds * 1000:8.0f} ms  {rows:6} rows  {question.title}", flush=True)
            if options.direct:
                await direct(conn, chosen)
    print(f"   {slow} of {len(questions())} questions took more than {MOST:.0f} s")
    return not slow


async def ask(conn: Connection, question: Question, chosen: dict[str, str]) -> tuple[float, int]:
    """Seconds, the median of three, and rows."""
    taken = []
    for _ in range(TIMES):
        began = perf_counter()
        rows = await (await conn.execute(question.query(chosen))).fetchall()
        taken.append(perf_counter() - began)
    return statistics.median(taken), len(rows)


async def direct(conn: Connection, chosen: dict[str, str]) -> None:
    """The same straight from the hours of islands."""
    await conn.execute("set statement_timeout = 0")
    for question in questions():
        for start, query in DIRECT.items():
            if question.title.startswith(start):
                began = perf_counter()
                await (await conn.execute(query.encode(), {"day": chosen["day"]})).fetchall()
                print(
                    f"   {perf_counter() - began:8.2f} s   direct, seven days  {question.title}",
                    flush=True,
                )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cookbook")
    parser.add_argument("--islands", type=int, default=500_000)
    parser.add_argument(
        "--active", type=float, default=0.2, help="share of islands that are played"
    )
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument(
        "--hours", type=int, default=30, help="last days that have hours of islands"
    )
    parser.add_argument(
        "--keep", type=Path, help="folder of a server to build in and leave running"
    )
    parser.add_argument("--no-direct", dest="direct", action="store_false")
    options = parser.parse_args()
    with server(options.keep) as url:
        return not asyncio.run(measure(url, options))


if __name__ == "__main__":
    raise SystemExit(main())
