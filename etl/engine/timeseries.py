"""Keeping roll-ups of time series current, making room for what comes and dropping what is old.

A series has levels: samples, and roll-ups made from the level below (``engine.series``). Buckets that are over are
stored, those still open are aggregated when they are read. Which foundation holds the rows, TimescaleDB or plain
partitions, only this module and ``sql/timeseries/`` know.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, LiteralString

from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from etl.engine.database import Connection, Database
from etl.settings import Settings

Foundation = Literal["timescale", "plain"]

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # where buckets and partitions start to be counted
HOUR = timedelta(hours=1)
AHEAD = timedelta(days=3)
DECOMPRESSION = "timescaledb.max_tuples_decompressed_per_dml_transaction"
MEMORY = "256MB"  # a bucket of half a million keys is grouped and sorted without a temporary file

# Held by the session that refreshes, not by a transaction: each bucket is one.
LOCK = "select pg_advisory_lock('engine.series'::regclass::oid::integer, 0)"
UNLOCK = "select pg_advisory_unlock('engine.series'::regclass::oid::integer, 0)"

LEVELS = """
with recursive level as (
  select s.*, 0 as depth from engine.series as s where s.source is null
  union all
  select s.*, l.depth + 1 from engine.series as s inner join level as l on s.source = l.relation
)
select
  l.relation, l.source, l.store, l.bucket, l.width, l.retention_setting, l.compression_setting
from level as l
order by l.depth, l.relation
"""


@dataclass(frozen=True)
class Level:
    """A level of a series, as engine.series has it."""

    relation: str
    source: str | None
    store: str
    bucket: timedelta
    width: timedelta
    retention_setting: str | None
    compression_setting: str | None


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
    roll, mend = (_roll_timescale, _mend_timescale) if kind == "timescale" else (_roll, _mend)
    done = {True: 0, False: 0}
    async with _alone(db) as conn:
        for level in await _levels(conn):
            if level.source is None:
                continue
            await conn.execute("select engine.close_buckets(%s, %s)", [level.relation, until])
            # Late rows come second: a bucket that is not stored yet has nothing to correct.
            for step in (roll, mend):
                while await step(conn, level):
                    done[level.bucket <= HOUR] += 1
    return Refreshed(hourly=done[True], daily=done[False])


async def ensure_partitions(
    db: Database, *, at: datetime | None = None, ahead: timedelta = AHEAD
) -> None:
    """Make room in every level from ``at`` (now) until ``ahead`` of it, so that no batch has to. Safe to repeat."""
    start = at or datetime.now(UTC)
    async with db.connection() as conn:
        for level in await _levels(conn):
            instant = start
            while instant < start + ahead + level.width:
                await conn.execute("select engine.make_room(%s, %s)", [level.relation, instant])
                instant += level.width


async def retain(db: Database, settings: Settings, *, at: datetime | None = None) -> Retained:
    """Drop and compress what is older than the settings say, counted back from ``at`` (now).

    First nothing old is let in any more, then everything made of the old rows is stored, then they go: roll-ups keep
    what they have. When this dies, the next one goes on. Partitions are dropped whole.
    """
    now = at or datetime.now(UTC)
    dropped = compressed = 0
    async with db.connection() as conn:
        levels = await _levels(conn)
    for level in levels:
        if (floor := _cut(now, level.width, level.retention_setting, settings)) is not None:
            await db.execute("select engine.raise_floor(%s, %s)", [level.relation, floor])
            await refresh(db, until=floor)
            await db.execute("select engine.raise_kept(%s)", [level.relation])
            dropped += await _count(db, "select engine.drop_old(%s) as n", [level.relation])
        if (old := _cut(now, level.width, level.compression_setting, settings)) is not None:
            compressed += await _count(
                db, "select engine.compress_old(%s, %s) as n", [level.relation, old]
            )
    return Retained(dropped, compressed)


@asynccontextmanager
async def _alone(db: Database) -> AsyncIterator[Connection]:
    """A connection that holds the refresh lock; closed if it cannot let go of it."""
    async with db.connection() as conn:
        await conn.execute(LOCK)
        try:
            await conn.execute("select set_config('work_mem', %s, false)", [MEMORY])
            # A late bucket may be compressed; the limit is meant for who touches one by mistake.
            await conn.execute("select set_config(%s, '0', false)", [DECOMPRESSION])
            yield conn
        finally:
            if conn.info.transaction_status is TransactionStatus.IDLE:
                await conn.execute("reset work_mem")
                await conn.execute(UNLOCK)
            else:
                await conn.close()


async def _levels(conn: Connection) -> list[Level]:
    """Every level, each after the one it is made from."""
    return [Level(**row) for row in await _rows(conn, LEVELS)]


async def _roll(conn: Connection, level: Level) -> bool:
    """Store the next closed bucket; False when none is left."""
    return await _call(conn, "roll", level)


async def _mend(conn: Connection, level: Level) -> bool:
    """Correct the earliest bucket that is late; False when none is."""
    return await _call(conn, "mend", level)


async def _call(conn: Connection, verb: Literal["roll", "mend"], level: Level) -> bool:
    schema, name = level.relation.split(".")
    function = sql.Identifier(schema, f"{verb}_{name}")
    rows = await _rows(conn, sql.SQL("select {}() is not null as done").format(function))
    return bool(rows[0]["done"])


async def _roll_timescale(conn: Connection, level: Level) -> bool:
    """Refresh the aggregate over the next closed bucket, then say that it is stored."""
    (row,) = await _rows(conn, "select engine.next_bucket(%s) as bucket", [level.relation])
    bucket = row["bucket"]
    if bucket is not None:
        await _refresh_aggregate(conn, level, bucket)
    await conn.execute("select engine.settle_bucket(%s, %s)", [level.relation, bucket])
    return bucket is not None


async def _mend_timescale(conn: Connection, level: Level) -> bool:
    """Refresh the aggregate over a late bucket, then forget what was logged about it until then."""
    late = await _rows(conn, "select * from engine.next_late(%s)", [level.relation])
    for row in late:
        if row["kept"]:
            await _refresh_aggregate(conn, level, row["ts"])
        await conn.execute(
            "select engine.settle_late(%s, %s, %s)", [level.relation, row["ts"], row["late_ids"]]
        )
    return bool(late)


async def _refresh_aggregate(conn: Connection, level: Level, bucket: datetime) -> None:
    """Run outside any transaction, as TimescaleDB asks; it computes what it knows to have changed."""
    (row,) = await _rows(conn, "select engine.timescale_schema() as name")
    await conn.execute(
        sql.SQL("call {}({}::regclass, {}::timestamptz, {}::timestamptz)").format(
            sql.Identifier(row["name"], "refresh_continuous_aggregate"),
            sql.Literal(level.store),
            sql.Literal(bucket),
            sql.Literal(bucket + level.bucket),
        )
    )


def _cut(
    now: datetime, width: timedelta, setting: str | None, settings: Settings
) -> datetime | None:
    """Where partitions end that are older than an option says; None where no option does."""
    if setting is None:
        return None
    oldest = now - timedelta(days=int(getattr(settings, setting)))
    return EPOCH + (oldest - EPOCH) // width * width


async def _count(db: Database, query: LiteralString, params: Sequence[object]) -> int:
    row = await db.fetch_one(query, params)
    return int(row["n"])


async def _rows(
    conn: Connection, query: LiteralString | sql.Composed, params: Sequence[object] = ()
) -> list[DictRow]:
    cursor = await conn.execute(query, params or None)
    return await cursor.fetchall()
