"""One CCU cycle of half a million values, against a bare COPY of the same rows and one aggregate over them.

``python -m bench.ccu [--islands N] [--active SHARE] [--cycles N] [--no-history]``: plain partitions on a PostgreSQL of
its own, and TimescaleDB on the server that ETL_TEST_TIMESCALE_URL names. A cycle is what the jobs do in ten minutes:
samples stored over two connections with what follows from them (latest CCU, records, marks), roll-ups refreshed beside
it, then the performance of a sixth of the islands. The seventh cycle closes an hour. The floor, taken after each cycle,
is COPY into an empty table with the same primary key on the same server, then count, sum, highest and lowest by island
and hour.

A share of the islands is played, in heavy-tailed numbers that change with every cycle; the others stand at zero.
"""

import argparse
import asyncio
import os
import random
import secrets
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.parts.servers import postgres
from etl.engine import roles, timeseries
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.fortnite import performance
from etl.fortnite.store import store
from etl.settings import Settings

START = datetime(2026, 11, 20, 9, 50, tzinfo=UTC)
STEP = timedelta(minutes=10)
BATCH = 5000
LANES = 2
MOST = 3.0

FLOOR = """
create table public.floor (
  ts timestamptz not null, island_id integer not null, ccu integer not null, primary key (ts, island_id)
)
"""
AGGREGATE = """
select count(*) from (
  select island_id, date_trunc('hour', ts), count(*), sum(ccu), max(ccu), min(ccu)
  from public.floor group by 1, 2
) as t
"""
# What performance reads of the past of played islands: each of the last hours, and each of the last days.
HISTORY = """
insert into fortnite.ccu (ts, island_id, ccu)
select t.ts, i.island_id, mod(i.island_id, 100)
from (
  select %(start)s - n * interval '1 hour' from generate_series(1, 33) as n
  union all
  select %(start)s - n * interval '1 day' from generate_series(2, 29) as n
) as t (ts), unnest(%(islands)s::int[]) as i (island_id)
order by 1, 2
"""


@dataclass
class World:
    """Islands by code and level, and a value of each for every cycle."""

    codes: list[str]
    levels: list[float]
    chance: random.Random

    @classmethod
    def of(cls, islands: int, active: float) -> "World":
        """A world of so many islands, of which a share is played."""
        chance = random.Random(1)
        played = [chance.random() < active for _ in range(islands)]
        return cls(
            [f"{n // 10**8:04}-{n // 10**4 % 10**4:04}-{n % 10**4:04}" for n in range(islands)],
            [chance.paretovariate(0.9) if one else 0.0 for one in played],
            chance,
        )

    def values(self) -> list[int]:
        """The values of the next cycle."""
        chance = self.chance.uniform
        return [min(40_000, int(v * chance(0.9, 1.15))) if v else 0 for v in self.levels]


@dataclass
class Cycle:
    """Seconds a cycle took, and its floor."""

    ts: datetime
    store: float
    total: float
    floor: float
    hours: int
    written: int
    marks: int


@contextmanager
def timescale_database(admin_url: str) -> Iterator[str]:
    """URL of an empty database on a given server, which plans as it does for the roles of Headrace."""
    name = f"bench_{secrets.token_hex(4)}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            for setting, value in roles.PLANNING.items():
                admin.execute(
                    sql.SQL("alter database {} set {} = {}").format(
                        sql.Identifier(name), sql.SQL(setting), value
                    )
                )
            yield make_conninfo(admin_url, dbname=name)
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def prepare(db: Database, world: World, *, history: bool) -> None:
    """Islands, what performance reads of the past, and a first cycle, so that every row is there."""
    for start in range(0, len(world.codes), BATCH):
        await db.execute(
            "select fortnite.ensure_island(%s::text[], 'catalogue', %s)",
            [world.codes[start : start + BATCH], START],
        )
    await db.execute("vacuum analyze fortnite.island")
    if history:
        played = [n + 1 for n, level in enumerate(world.levels) if level]
        first = START - timedelta(days=30)
        for n in range(32):
            await db.execute("select engine.make_room('fortnite.ccu', %s)", [first + timedelta(n)])
        await db.execute(HISTORY, {"start": START, "islands": played})
        await timeseries.refresh(db, until=START)
    await store_cycle(db, START, world.codes, world.values())
    await performance.compute(db)
    for table in ("fortnite.ccu", "fortnite.island_now", "fortnite.island_performance"):
        await db.execute(f"vacuum analyze {table}")
    await db.execute("truncate search.dirty")


async def store_cycle(db: Database, ts: datetime, codes: list[str], values: list[int]) -> None:
    """All samples of a cycle, a batch after the other over two connections."""
    await db.execute("select fortnite.open_cycle(%s, 'entries', %s)", [ts, len(codes)])
    starts = iter(range(0, len(codes), BATCH))

    async def lane() -> None:
        for start in starts:
            batch = slice(start, start + BATCH)
            await store(db, ts, "entries", dict(zip(codes[batch], values[batch], strict=True)))

    await asyncio.gather(*(lane() for _ in range(LANES)))
    await db.execute("select fortnite.close_cycle(%s, 'entries', true)", [ts])


async def cycle(db: Database, ts: datetime, world: World) -> Cycle:
    values = world.values()
    began = perf_counter()
    storing = asyncio.create_task(store_cycle(db, ts, world.codes, values))
    refreshed = await timeseries.refresh(db, until=ts)
    await storing
    stored = perf_counter()
    written = await performance.compute(db, turns=6)
    ended = perf_counter()
    marks = await db.fetch_one(
        "with d as (delete from search.dirty returning documents)"
        " select coalesce(sum(documents), 0)::bigint as n from d"
    )
    return Cycle(
        ts,
        stored - began,
        ended - began,
        await floor(db, ts, values),
        refreshed.hourly,
        written,
        marks["n"],
    )


async def floor(db: Database, ts: datetime, values: list[int]) -> float:
    """Seconds of the COPY and the aggregate; lines are made before."""
    stamp = ts.isoformat()
    rows = [f"{stamp}\t{n}\t{value}\n" for n, value in enumerate(values, 1)]
    blocks = ["".join(rows[n : n + BATCH]).encode() for n in range(0, len(rows), BATCH)]
    await db.execute("drop table if exists public.floor")
    await db.execute(FLOOR)
    async with db.connection() as conn:
        began = perf_counter()
        async with conn.cursor().copy("copy public.floor from stdin") as copy:
            for block in blocks:
                await copy.write(block)
        await conn.execute(AGGREGATE)
        return perf_counter() - began


async def measure(url: str, options: argparse.Namespace) -> list[Cycle]:
    migrate(url, Settings())
    world = World.of(options.islands, options.active)
    async with open_database(url, size=4) as db:
        print(
            f"-- {await timeseries.foundation(db)}: {len(world.codes):,} islands, preparing",
            flush=True,
        )
        await prepare(db, world, history=options.history)
        cycles = []
        for n in range(1, options.cycles + 1):
            one = await cycle(db, START + n * STEP, world)
            cycles.append(one)
            print(
                f"   {one.ts:%H:%M} store {one.store:5.2f} s, all {one.total:5.2f} s, floor {one.floor:5.2f} s:"
                f" {one.total / one.floor:4.2f} times; hours closed {one.hours},"
                f" performance rows {one.written:,}, marks {one.marks:,}",
                flush=True,
            )
    return cycles


def report(name: str, cycles: list[Cycle]) -> bool:
    usual = statistics.median(one.total / one.floor for one in cycles)
    worst = max(one.total / one.floor for one in cycles)
    hour = sum(one.total for one in cycles[-6:]) / sum(one.floor for one in cycles[-6:])
    print(
        f"   {name}: median {usual:.2f}, an hour of cycles {hour:.2f}, worst {worst:.2f} times the floor"
        f" (at most {MOST})"
    )
    return hour <= MOST


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.ccu")
    parser.add_argument("--islands", type=int, default=500_000)
    parser.add_argument(
        "--active", type=float, default=0.2, help="share of islands that are played"
    )
    parser.add_argument("--cycles", type=int, default=7)
    parser.add_argument("--no-history", dest="history", action="store_false")
    options = parser.parse_args()
    with postgres() as url:
        good = report("plain", asyncio.run(measure(url, options)))
    named = os.environ.get("ETL_TEST_TIMESCALE_URL")
    if named:
        with timescale_database(named) as url:
            good &= report("timescale", asyncio.run(measure(url, options)))
    else:
        print("-- timescale: not measured; name a server in ETL_TEST_TIMESCALE_URL")
    print(f"   memory of this process at most {psutil.Process().memory_info().rss / 2**20:.0f} MB")
    return not good


if __name__ == "__main__":
    raise SystemExit(main())
