"""The daily aggregation of half a million islands, against a query an island and against an aggregate over raw rows.

``python -m bench.daily [--islands N] [--active SHARE] [--raw-days N] [--asked N]``: plain partitions on a PostgreSQL of
its own, and TimescaleDB on the server that ETL_TEST_TIMESCALE_URL names. A share of the islands is played, in
heavy-tailed numbers. The last days have a sample every ten minutes, all 61 days at least one a day: what the
aggregation reads of a day is one row an island either way. A day is what the jobs do after midnight: roll the day up,
performance of all islands, rankings, trends, marks.

Against it (a) one query an island and one update, as its worker once did, extrapolated from so many islands, and (b)
one aggregate of all raw rows with a rank; both read the raw days alone. (a) is left as it is, to its advantage; (b) is
multiplied up to 30 days. Neither ranks by tag, category, creator, keeps history nor has trends.
"""

import argparse
import asyncio
import os
import random
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from time import perf_counter

from bench.ccu import timescale_database
from bench.parts.servers import postgres
from etl.engine import timeseries
from etl.engine.daily import day_done
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.fortnite import performance, rankings
from etl.settings import Settings

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STEP = timedelta(minutes=10)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
DAYS = 30
BEFORE = 60  # what growth over 30 days looks back on

ISLANDS = """
insert into fortnite.island (
  code, source, first_seen_at, detailed_at, title, description, creator_account_id, creator_name, tags, category_labels,
  published_at
)
select
  to_char(n, 'fm0000-0000-0000'), 'catalogue', '2026-01-01Z', '2026-01-01Z', 'Island ' || n, repeat('play ', 120),
  md5((n::bigint * 7919 %% (1 + %(islands)s / 3))::text), 'Creator',
  array[
    'tag ' || n * 31 %% 11, 'tag ' || 11 + n * 37 %% 20, 'tag ' || 31 + n * 41 %% 40, 'tag ' || 71 + n * 43 %% 80
  ],
  array['Category ' || n %% 12], '2026-01-01Z'::timestamptz + n * interval '40 seconds'
from generate_series(1, %(islands)s) as n
"""
# Who is played, and how much: the same islands on every day, in numbers that change.
PLAYED = """
create table public.played as
select
  i.island_id,
  least(40000, power((1 + i.island_id::bigint * 7919 %% 1000003) / 1000003.0, -1.1)) as level
from fortnite.island as i
where i.island_id::bigint * 104729 %% 1000 < %(active)s * 1000
"""
SAMPLES = """
insert into fortnite.ccu (ts, island_id, ccu)
select t.ts, p.island_id, floor(p.level * (0.8 + 0.4 * random()))
from generate_series(%(since)s::timestamptz, %(until)s::timestamptz - interval '1 minute', %(step)s::interval) as t (ts)
cross join public.played as p
order by 1, 2
"""
NOW = """
insert into fortnite.island_now (island_id, ts, recorded_at, since, ccu, marked_ccu, record_ccu)
select p.island_id, %s, %s, '2026-01-01Z', p.level, p.level, p.level
from public.played as p
"""
METRICS = """
insert into fortnite.island_metric
  (ts, island_id, bucket_minutes, read_at, partial, peak_ccu, unique_players, plays, minutes_played)
select
  t.ts, p.island_id, 1440, t.ts + interval '26 hours', false, p.level * 1.5, p.level * 40, p.level * 60, p.level * 900
from generate_series(%(since)s::timestamptz, %(until)s::timestamptz - interval '1 day', interval '1 day') as t (ts)
cross join public.played as p
where p.island_id %% 2 = 0
order by 2, 1
"""
OLD = """
create table public.old_performance (
  island_id integer primary key, avg_24h real, avg_7d real, avg_30d real, peak_24h integer, peak_7d integer,
  peak_30d integer, minutes_24h bigint, minutes_7d bigint, minutes_30d bigint
)
"""
SPANS = """
  avg(ccu) filter (where ts >= %(until)s - interval '24 hours') as avg_24h,
  avg(ccu) filter (where ts >= %(until)s - interval '7 days') as avg_7d,
  avg(ccu) as avg_30d,
  max(ccu) filter (where ts >= %(until)s - interval '24 hours') as peak_24h,
  max(ccu) filter (where ts >= %(until)s - interval '7 days') as peak_7d,
  max(ccu) as peak_30d,
  sum(ccu) filter (where ts >= %(until)s - interval '24 hours') * 10 as minutes_24h,
  sum(ccu) filter (where ts >= %(until)s - interval '7 days') * 10 as minutes_7d,
  sum(ccu) * 10 as minutes_30d
"""
ASK = (
    "select"
    + SPANS
    + "from fortnite.ccu where island_id = %(island)s and ts >= %(since)s and ts < %(until)s"
)
TELL = """
insert into public.old_performance
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (island_id) do update set avg_24h = excluded.avg_24h, avg_7d = excluded.avg_7d, avg_30d = excluded.avg_30d
"""
DIRECT = (
    "create table public.direct as select *, rank() over (order by avg_24h desc) from (select island_id,"
    + SPANS
    + "from fortnite.ccu where ts >= %(since)s and ts < %(until)s group by island_id) as d"
)
LATE = """
update fortnite.ccu set ccu = ccu + 5 where ts = %s and island_id in (
  select island_id from public.played order by island_id limit (select count(*) / 100 from public.played)
)
"""
AGAIN = """
insert into fortnite.ranking_due (day, source)
select (%s::timestamptz at time zone 'UTC')::date, u.source from unnest(array['ccu', 'metric']) as u (source)
"""
SIZE = """
select
  (select count(*) from fortnite.ranking_row) as rows,
  (
    select sum(pg_total_relation_size(i.inhrelid))
    from pg_inherits as i
    where i.inhparent = 'fortnite.ranking_row'::regclass
  ) as bytes
"""


async def prepare(db: Database, options: argparse.Namespace) -> None:
    """The world up to a minute before midnight: all rolled up but the last hour and the last day."""
    await db.execute(ISLANDS, {"islands": options.islands})
    await db.execute(PLAYED, {"active": options.active})
    await db.execute("vacuum analyze fortnite.island, public.played")
    raw = TODAY - DAY * options.raw_days
    for n in range(BEFORE + 1, 0, -1):
        since = TODAY - DAY * n
        await db.execute("select engine.make_room('fortnite.ccu', %s)", [since])
        step = timedelta(minutes=10) if since >= raw else DAY
        await db.execute(SAMPLES, {"since": since, "until": since + DAY, "step": step})
        await timeseries.refresh(db, until=since + DAY - HOUR)
    await db.execute(NOW, [TODAY, TODAY])
    await db.execute(METRICS, {"since": TODAY - DAY * DAYS, "until": TODAY})
    await db.execute("truncate fortnite.ranking_due")
    await day_done(db, rankings.NAME, (TODAY - 2 * DAY).date())
    for source in rankings.SOURCES:
        await rankings.rank(db, (TODAY - 2 * DAY).date(), source, options.top)
    await performance.compute(db, TODAY - DAY - STEP)
    await db.execute("vacuum analyze")
    await db.execute("checkpoint")


async def timed(name: str, work: Awaitable[object]) -> float:
    began = perf_counter()
    done = await work
    seconds = perf_counter() - began
    print(f"   {name:<32}{seconds:8.2f} s   {done}", flush=True)
    return seconds


async def day(db: Database, settings: Settings) -> float:
    """Seconds of what is done after midnight."""
    now = TODAY + HOUR
    seconds = await timed("the day rolled up", timeseries.refresh(db, until=TODAY))
    seconds += await timed("performance of all islands", performance.compute(db, TODAY - STEP))
    seconds += await timed("rankings, trends, marks", rankings.compute_days(db, settings, now=now))
    await db.execute(AGAIN, [TODAY - DAY])
    await timed("the same again, nothing new", rankings.compute_days(db, settings, now=now))
    await db.execute(LATE, [TODAY - 6 * HOUR])
    await timeseries.refresh(db)
    await timed("late samples of a hundredth", rankings.compute_days(db, settings, now=now))
    return seconds


async def one_by_one(db: Database, options: argparse.Namespace) -> float:
    """Seconds of a query and a write for each island, from those that were asked."""
    await db.execute(OLD)
    await db.execute("create index old on fortnite.ccu (island_id, ts)")
    asked = random.Random(1).sample(range(1, options.islands + 1), options.asked)
    began = perf_counter()
    for island in asked:
        row = await db.fetch_one(
            ASK, {"island": island, "since": TODAY - DAYS * DAY, "until": TODAY}
        )
        await db.execute(TELL, [island, *row.values()])
    seconds = perf_counter() - began
    await db.execute("drop index fortnite.old")
    islands: int = options.islands
    return seconds / len(asked) * islands


async def direct(db: Database, raw_days: int) -> float:
    """Seconds of one aggregate over 30 days of raw rows, from those of the days there are."""
    await db.execute("vacuum analyze fortnite.ccu")
    span = {"since": TODAY - raw_days * DAY, "until": TODAY}
    async with db.connection() as conn:
        await conn.execute("set work_mem = '256MB'")
        began = perf_counter()
        await conn.execute(DIRECT, span)
        return (perf_counter() - began) * DAYS / raw_days


async def measure(url: str, options: argparse.Namespace) -> bool:
    """Print what a day takes and how that compares; whether it is quicker than both."""
    settings = Settings(fortnite_ranking_top=options.top)
    migrate(url, settings)
    async with open_database(url, size=4) as db:
        print(f"-- {await timeseries.foundation(db)}: {options.islands:,} islands", flush=True)
        began = perf_counter()
        await prepare(db, options)
        print(f"   prepared in {perf_counter() - began:.0f} s", flush=True)
        ours = await day(db, settings)
        row = await db.fetch_one(SIZE)
        asked, aggregate = await one_by_one(db, options), await direct(db, options.raw_days)
    print(
        f"   rankings: {row['rows'] / 2:,.0f} rows a day, {row['bytes'] / row['rows']:.0f} bytes each\n"
        f"   the day {ours:.1f} s; a query an island {asked:,.0f} s: {asked / ours:.0f} times as long;"
        f" one aggregate over raw rows {aggregate:.1f} s: {aggregate / ours:.1f} times as long",
        flush=True,
    )
    return ours < min(asked, aggregate)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.daily")
    parser.add_argument("--islands", type=int, default=500_000)
    parser.add_argument(
        "--active", type=float, default=0.2, help="share of islands that are played"
    )
    parser.add_argument(
        "--raw-days", type=int, default=3, help="days with a sample every ten minutes"
    )
    parser.add_argument("--asked", type=int, default=1000, help="islands asked for one by one")
    parser.add_argument("--top", type=int, default=1000, help="rank down to which lists are kept")
    options = parser.parse_args()
    with postgres() as url:
        good = asyncio.run(measure(url, options))
    named = os.environ.get("ETL_TEST_TIMESCALE_URL")
    if named:
        with timescale_database(named) as url:
            good &= asyncio.run(measure(url, options))
    else:
        print("-- timescale: not measured; name a server in ETL_TEST_TIMESCALE_URL")
    return not good


if __name__ == "__main__":
    raise SystemExit(main())
