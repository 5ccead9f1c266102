"""Keeping roll-ups of time series current, making room for what comes and dropping what is old.

A series has levels: samples, and roll-ups made from the level below (``engine.series``). Buckets that are over are
stored, those still open are aggregated when they are read. Which foundation holds the rows, TimescaleDB or plain
partitions, only this module and ``sql/timeseries/`` know.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import structlog

from etl.engine.buckets import Foundation, Level, mend_next, read_levels, store_next
from etl.engine.clock import read_clock
from etl.engine.database import Connection, Database
from etl.settings import Settings

log = structlog.get_logger(__name__)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # where buckets and partitions start to be counted
HOUR = timedelta(hours=1)
AHEAD = timedelta(days=3)
DECOMPRESSION = "timescaledb.max_tuples_decompressed_per_dml_transaction"
MEMORY = "256MB"  # a bucket of half a million keys is grouped and sorted without a temporary file

# Held by the session that refreshes, not by a transaction: each bucket is one.
LOCK = "select pg_advisory_lock('engine.series'::regclass::oid::integer, 0)"
UNLOCK = "select pg_advisory_unlock('engine.series'::regclass::oid::integer, 0)"

OLD = """
select p.partition::text as name
from engine.series as s cross join lateral engine.partitions(s.store, s.width) as p
where s.relation = %s and p.ends_at <= %s
order by p.ends_at
"""


@dataclass(frozen=True)
class Refreshed:
    """Buckets a refresh stored or corrected: hours, and days."""

    hourly: int
    daily: int


@dataclass(frozen=True)
class Retained:
    """Partitions a retention dropped, and those that are compressed after it."""

    dropped: int
    compressed: int


async def foundation(db: Database) -> Foundation:
    """What the database keeps its time series on, fixed by its first migrate."""
    row = await db.fetch_one(
        "select value ->> 'foundation' as name from engine.watermark where name = 'timeseries'"
    )
    name: Foundation = row["name"]
    return name


async def refresh(db: Database, *, until: datetime | None = None) -> Refreshed:
    """Store the buckets that are over and correct stored ones whose source rows changed: hours, then days.

    A bucket is over when its source has a later row, or when it ends by ``until`` where that is given. Only what is
    new or late is computed. One refresh runs at a time, the second waits; writers wait for it no longer than for a
    batch. Each bucket is one transaction: when this dies, the next refresh goes on where it stopped.
    """
    kind = await foundation(db)
    hourly = daily = 0
    async with _alone(db) as conn:
        for level in await read_levels(conn):
            if level.source is None:
                continue
            await conn.execute("select engine.close_buckets(%s, %s)", [level.relation, until])
            done = 0
            # Late rows come second: a bucket that is not stored yet has nothing to correct.
            for step in (store_next, mend_next):
                while await step(conn, kind, level):
                    done += 1
            if level.by_function:
                continue
            if level.bucket <= HOUR:
                hourly += done
            else:
                daily += done
    return Refreshed(hourly, daily)


async def ensure_partitions(
    db: Database, *, at: datetime | None = None, ahead: timedelta = AHEAD
) -> None:
    """Make room in every level from ``at`` (now) until ``ahead`` of it, so that no batch has to. Safe to repeat."""
    start = at or (await read_clock(db)).now()
    async with db.connection() as conn:
        for level in await read_levels(conn):
            if level.by_function:
                continue
            instant = start
            while instant < start + ahead + level.width:
                await conn.execute("select engine.make_room(%s, %s)", [level.relation, instant])
                instant += level.width


async def retain(db: Database, settings: Settings, *, at: datetime | None = None) -> Retained:
    """Drop and compress what is older than the settings say, counted back from ``at`` (now).

    First nothing old is let in any more, then everything made of the old rows is stored, then they go: roll-ups keep
    what they have. Partitions go whole, the oldest first, each in a transaction of its own. One that is read just then
    stays until the next time: nobody waits behind it. When this dies, the next one goes on.
    """
    now = at or (await read_clock(db)).now()
    dropped = compressed = 0
    kind = await foundation(db)
    async with db.connection() as conn:
        levels = await read_levels(conn)
    for level in levels:
        if (floor := cut(now, level.width, level.retention_setting, settings)) is not None:
            await db.execute("select engine.raise_floor(%s, %s)", [level.relation, floor])
            if any(other.source == level.relation for other in levels):
                await refresh(db, until=floor)
            await db.execute("select engine.raise_kept(%s, %s)", [level.relation, floor])
            dropped += await _drop(db, level)
        old = cut(now, level.width, level.compression_setting, settings)
        if old is not None and kind == "timescale":
            compressed += await _compress(db, level, old)
    return Retained(dropped, compressed)


def cut(
    now: datetime, width: timedelta, setting: str | None, settings: Settings
) -> datetime | None:
    """Where partitions end that are older than an option says; None where no option does."""
    if setting is None:
        return None
    oldest = now - timedelta(days=int(getattr(settings, setting)))
    return EPOCH + (oldest - EPOCH) // width * width


async def _drop(db: Database, level: Level) -> int:
    dropped = 0
    try:
        while (await db.fetch_one("select engine.drop_oldest(%s) as done", [level.relation]))[
            "done"
        ]:
            dropped += 1
    except psycopg.errors.LockNotAvailable:  # after all its tries
        log.info("series.busy", relation=level.relation, wanted="to drop what is old")
    return dropped


async def _compress(db: Database, level: Level, before: datetime) -> int:
    compressed = 0
    for row in await db.fetch(OLD, [level.relation, before]):
        # Tried once: most of its work comes before it may have to give way.
        async with db.connection() as conn:
            try:
                await conn.execute("select engine.compress(%s, %s)", [level.relation, row["name"]])
                compressed += 1
            except psycopg.errors.LockNotAvailable:
                log.info(
                    "series.busy", relation=level.relation, wanted="to compress " + row["name"]
                )
    return compressed


@asynccontextmanager
async def _alone(db: Database) -> AsyncIterator[Connection]:
    """A connection that holds the refresh lock; closed, and with it the lock, by whatever goes wrong meanwhile."""
    async with db.connection() as conn:
        try:
            await conn.execute(LOCK)
            await conn.execute("select set_config('work_mem', %s, false)", [MEMORY])
            # A late bucket may be compressed; the limit is meant for who touches one by mistake.
            await conn.execute("select set_config(%s, '0', false)", [DECOMPRESSION])
            yield conn
            await conn.execute("reset work_mem")
            await conn.execute(UNLOCK)
        except BaseException:
            # Whether it was had is not known: a wait that is cancelled may have got it just then.
            await conn.close()
            raise
