"""Storing and correcting the buckets of roll-ups, one at a time, on either foundation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, LiteralString

from psycopg import sql
from psycopg.rows import DictRow

from etl.engine.database import Connection

Foundation = Literal["timescale", "plain"]

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
NEXT = "select engine.next_bucket(%s) as bucket"
ROOM = "select engine.make_room(%s, %s)"
SETTLE = "select engine.settle_bucket(%s, %s)"
LATE = "select l.ts, l.late_ids, l.kept from engine.next_late(%s) as l"
SETTLE_LATE = "select engine.settle_late(%s, %s, %s)"


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


async def read_levels(conn: Connection) -> list[Level]:
    """Every level, each after the one it is made from."""
    return [Level(**row) for row in await _rows(conn, LEVELS)]


async def store_next(conn: Connection, kind: Foundation, level: Level) -> bool:
    """Store the next closed bucket of a roll-up; False when none is left. Safe to die in."""
    (row,) = await _rows(conn, NEXT, [level.relation])
    bucket = row["bucket"]
    if bucket is None:
        await conn.execute(SETTLE, [level.relation, None])
        return False
    # In a transaction before that of the rows: a reader who planned without a new partition must not see what comes
    # with its rows.
    await conn.execute(ROOM, [level.relation, bucket])
    if kind == "timescale":
        await _refresh_aggregate(conn, level, bucket)
        await conn.execute(SETTLE, [level.relation, bucket])
    else:
        await conn.execute(_call("roll", level, sql.Literal(bucket)))
    return True


async def mend_next(conn: Connection, kind: Foundation, level: Level) -> bool:
    """Correct the earliest stored bucket whose source rows changed; False when none is left. Safe to die in."""
    if kind == "plain":
        (row,) = await _rows(conn, _call("mend", level))
        return row["bucket"] is not None
    late = await _rows(conn, LATE, [level.relation])
    for row in late:
        if row["kept"]:
            await _refresh_aggregate(conn, level, row["ts"])
        # Only what was logged before: what came since is still late.
        await conn.execute(SETTLE_LATE, [level.relation, row["ts"], row["late_ids"]])
    return bool(late)


def _call(verb: Literal["roll", "mend"], level: Level, *params: sql.Literal) -> sql.Composed:
    """The function of a level on the plain foundation: ``schema.roll_name`` or ``schema.mend_name``."""
    schema, name = level.relation.split(".")
    function = sql.Identifier(schema, f"{verb}_{name}")
    return sql.SQL("select {}({}) as bucket").format(function, sql.SQL(", ").join(params))


async def _refresh_aggregate(conn: Connection, level: Level, bucket: datetime) -> None:
    """Run outside any transaction, as TimescaleDB asks; it computes what it knows to have changed."""
    (row,) = await _rows(conn, "select engine.timescale_schema() as name")
    await conn.execute(
        sql.SQL("call {}({}::regclass, {}::timestamptz, {}::timestamptz)").format(
            sql.Identifier(row["name"], "refresh_continuous_aggregate"),
            sql.Literal(level.store),
            sql.Literal(bucket),
            # In UTC: in the session's own zone Python would add hours of its clocks.
            sql.Literal(bucket.astimezone(UTC) + level.bucket),
        )
    )


async def _rows(
    conn: Connection, query: LiteralString | sql.Composed, params: Sequence[object] = ()
) -> list[DictRow]:
    cursor = await conn.execute(query, params or None)
    return await cursor.fetchall()
