"""CCU of one, ten, a hundred million rows on either foundation, against a bare COPY and direct aggregates over samples.

``python -m bench.series [--rows N ...] [--islands N] [--foundation NAME ...]``: plain partitions on a PostgreSQL of its
own, TimescaleDB on the server that ETL_TEST_TIMESCALE_URL names. Every island is sampled in every cycle: more rows are
more history of the same islands. The largest number of rows goes last; each has a database of its own.

Measured: rows a second by the path of ``etl backfill``, in the order of time, against one COPY into a bare table with
the same key on the same server; the roll-ups of all of it; the refresh of the newest hour, against one aggregate over
that hour; bytes a row with roll-ups and indexes; six questions, of the roll-ups and of the samples (`direct`).
On TimescaleDB all but the newest day is then compressed, and all but the load is measured again. The refresh of the
newest hour must not grow with history. Totals and shares are asked of fortnite.ccu_hourly and ccu_daily alone.
"""

import argparse
import asyncio
import os
import random
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import perf_counter
from typing import LiteralString

from bench.ccu import timescale_database
from bench.parts.series_queries import QUESTIONS
from bench.parts.servers import postgres
from etl.engine import timeseries
from etl.engine.arrays import IntegerArray, TextArray
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.settings import Settings

END = datetime(2026, 11, 20, tzinfo=UTC)
STEP = timedelta(minutes=10)
BATCH = 20_000
COMPRESSED = Settings(
    ccu_retention_days=36_500, ccu_hourly_retention_days=36_500, ccu_compression_days=1
)
HOURS = 5  # newest hours refreshed, the median counts
COPIED = 2_000_000  # rows the COPY is timed on, at most
MOST_GROWTH = 2.0  # of the newest hour's refresh, from the fewest rows to the most; noise included
FLOOR = """
create table public.floor (
  ts timestamptz not null, island_id integer not null, ccu integer not null, primary key (ts, island_id)
)
"""
HOUR = """
select date_bin('1 hour', ts, '2000-01-01 00:00Z'), island_id, sum(ccu), max(ccu), min(ccu), count(*)
from fortnite.ccu where ts >= %s and ts < %s group by 1, 2
"""
SIZE = "select pg_database_size(current_database()) as n"


@dataclass
class Measured:
    """What was measured at a number of rows: seconds, unless its name says something else."""

    rows: int
    rate: float = 0.0
    copy_rate: float = 0.0
    rolled: float = 0.0
    hour: float = 0.0
    hour_direct: float = 0.0
    bytes_a_row: float = 0.0
    asked: dict[str, float] = field(default_factory=dict)
    direct: dict[str, float] = field(default_factory=dict)


class World:
    """Islands and what they report: heavy-tailed, moving a little from cycle to cycle, with a gap now and then."""

    def __init__(self, islands: int) -> None:
        self.chance = random.Random(1)
        self.codes = [f"{n:04}-0000-0000" for n in range(islands)]
        self.levels = [min(40_000, int(self.chance.paretovariate(0.9))) for _ in self.codes]

    def cycle(self) -> list[int]:
        """The values of a cycle; -1 where an island is left out."""
        factor, left_out = self.chance.uniform(0.8, 1.2), self.chance.randrange(len(self.codes))
        values = [int(level * factor) for level in self.levels]
        values[left_out] = -1
        return values


async def prepare(db: Database, world: World) -> None:
    for start in range(0, len(world.codes), 5000):
        codes = TextArray.of(world.codes[start : start + 5000])
        await db.execute("select fortnite.ensure_island(%s, 'catalogue', %s)", [codes, END])
    await db.execute("update fortnite.island set tags = array['t' || mod(island_id, 9)]")
    await db.execute("vacuum analyze fortnite.island")


async def load(db: Database, world: World, rows: int) -> float:
    """Land the history that ends at END; rows a second."""
    steps = rows // len(world.codes)
    first = int(END.timestamp()) // 600 - steps
    at_once = max(1, BATCH // len(world.codes))
    codes, spent = TextArray.of(world.codes), 0.0
    for start in range(0, steps, at_once):
        taken = range(start, min(steps, start + at_once))
        samples = [
            (nth, first + step, ccu)
            for step in taken
            for nth, ccu in enumerate(world.cycle(), 1)
            if ccu >= 0
        ]
        arrays = [IntegerArray.of([one[place] for one in samples]) for place in range(3)]
        began = perf_counter()
        await db.execute("select fortnite.backfill_ccu(%s, %s, %s, %s)", [codes, *arrays])
        spent += perf_counter() - began
    return steps * len(world.codes) / spent


async def copy(db: Database, world: World, rows: int) -> float:
    """Rows a second of one COPY into a bare table; lines are made before."""
    steps = min(rows, COPIED) // len(world.codes)
    blocks = []
    for step in range(steps):
        stamp = (END - step * STEP).isoformat()
        blocks.append(
            "".join(f"{stamp}\t{n}\t{ccu}\n" for n, ccu in enumerate(world.cycle())).encode()
        )
    blocks.reverse()
    await db.execute(FLOOR)
    async with db.connection() as conn:
        began = perf_counter()
        async with conn.cursor().copy("copy public.floor from stdin") as into:
            for block in blocks:
                await into.write(block)
        spent = perf_counter() - began
    await db.execute("drop table public.floor")
    return steps * len(world.codes) / spent


async def newest_hours(db: Database, world: World, start: datetime) -> tuple[float, float]:
    """Median seconds to refresh an hour that has just ended, and of one aggregate over it."""
    refreshed, direct = [], []
    codes = TextArray.of(world.codes)
    for hour in range(HOURS):
        begin = start + timedelta(hours=hour)
        for n in range(6):
            await db.execute(
                "select fortnite.store_ccu(%s, 'bench', %s, %s)",
                [begin + n * STEP, codes, IntegerArray.of(world.cycle())],
            )
        end = begin + timedelta(hours=1)
        began = perf_counter()
        done = await timeseries.refresh(db, until=end)
        refreshed.append(perf_counter() - began)
        assert done.hourly == 1, done
        began = perf_counter()
        await db.fetch(HOUR, [begin, end])
        direct.append(perf_counter() - began)
    return statistics.median(refreshed), statistics.median(direct)


async def ask(db: Database, query: LiteralString) -> float:
    """Median seconds of three answers, after one that warms up."""
    took = []
    for _ in range(4):
        began = perf_counter()
        await db.fetch(query, {"end": END})
        took.append(perf_counter() - began)
    return statistics.median(took[1:])


async def questions(db: Database, one: Measured) -> None:
    for name, (asked, direct) in QUESTIONS.items():
        answers = [await db.fetch(query, {"end": END}) for query in (asked, direct)]
        told = [[tuple(row.values()) for row in answer] for answer in answers]
        assert told[0] == told[1], f"{name}: the roll-ups and the samples do not say the same"
        one.asked[name] = await ask(db, asked)
        one.direct[name] = await ask(db, direct)


async def measure(url: str, rows: int, islands: int) -> list[Measured]:
    migrate(url, Settings())
    world = World(islands)
    async with open_database(url, size=2) as db:
        await prepare(db, world)
        one = Measured(rows, copy_rate=await copy(db, world, rows))
        empty = (await db.fetch_one(SIZE))["n"]
        one.rate = await load(db, world, rows)
        began = perf_counter()
        await timeseries.refresh(db, until=END)
        one.rolled = perf_counter() - began
        await db.execute("vacuum analyze")
        await db.execute("checkpoint")
        one.bytes_a_row = ((await db.fetch_one(SIZE))["n"] - empty) / rows
        await questions(db, one)
        one.hour, one.hour_direct = await newest_hours(db, world, END)
        if await timeseries.foundation(db) == "plain":
            return [one]
        packed = Measured(rows, rate=one.rate, copy_rate=one.copy_rate, rolled=one.rolled)
        await timeseries.retain(db, COMPRESSED, at=END + timedelta(days=1))
        await db.execute("checkpoint")
        packed.bytes_a_row = ((await db.fetch_one(SIZE))["n"] - empty) / rows
        await questions(db, packed)
        after = END + timedelta(hours=HOURS)
        packed.hour, packed.hour_direct = await newest_hours(db, world, after)
        return [one, packed]


def tell(name: str, one: Measured) -> None:
    print(f"   {name}, {one.rows:,} rows")
    print(
        f"     load {one.rate:,.0f} rows/s, {one.rate / one.copy_rate:.2f} of COPY ({one.copy_rate:,.0f});"
        f" all roll-ups {one.rolled:.1f} s; {one.bytes_a_row:.1f} bytes a row"
    )
    print(
        f"     newest hour refreshed in {one.hour * 1000:.0f} ms, {one.hour / one.hour_direct:.1f} times"
        f" one aggregate over it ({one.hour_direct * 1000:.0f} ms)"
    )
    for question, asked in one.asked.items():
        direct = one.direct[question]
        print(
            f"     {question:<24} {asked * 1000:8.1f} ms; direct {direct * 1000:8.1f} ms: {direct / asked:.1f} times"
        )


def growth(name: str, runs: list[Measured]) -> bool:
    """What one number of rows costs beside the one before it."""
    for few, many in pairwise(runs):
        asked = ", ".join(
            f"{question} {many.asked[question] / few.asked[question]:.1f}" for question in QUESTIONS
        )
        print(
            f"   {name}, from {few.rows:,} to {many.rows:,} rows: load rate {many.rate / few.rate:.2f},"
            f" newest hour {many.hour / few.hour:.2f} times; {asked}"
        )
    grown = runs[-1].hour / runs[0].hour
    if len(runs) > 1:
        print(f"   {name}: newest hour's refresh grew {grown:.2f} times (at most {MOST_GROWTH})")
    return grown <= MOST_GROWTH


@contextmanager
def database(foundation: str) -> Iterator[str]:
    """URL of an empty database."""
    if foundation == "plain":
        with postgres() as url:
            yield url
    else:
        with timescale_database(os.environ["ETL_TEST_TIMESCALE_URL"]) as url:
            yield url


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.series")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--islands", type=int, default=2_000)
    parser.add_argument("--foundation", nargs="+", choices=("plain", "timescale"))
    options = parser.parse_args()
    native = "ETL_TEST_TIMESCALE_URL" in os.environ
    chosen = options.foundation or ["plain", *(["timescale"] if native else [])]
    good = True
    for foundation in chosen:
        runs: list[list[Measured]] = []
        for rows in sorted(options.rows):
            with database(foundation) as url:
                runs.append(asyncio.run(measure(url, rows, options.islands)))
            for name, one in zip((foundation, "timescale, compressed"), runs[-1], strict=False):
                tell(name, one)
        for name, series in zip(
            (foundation, "timescale, compressed"), zip(*runs, strict=True), strict=False
        ):
            good &= growth(name, list(series))
    if not native:
        print("-- timescale: not measured; name a server in ETL_TEST_TIMESCALE_URL")
    return not good


if __name__ == "__main__":
    raise SystemExit(main())
