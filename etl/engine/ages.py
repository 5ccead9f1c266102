"""What is kept for an age: what would go now, and letting it go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, LiteralString

from etl.engine import timeseries, watermark
from etl.engine.buckets import Level, read_levels
from etl.engine.clock import read_clock
from etl.engine.database import Database
from etl.settings import Settings

ROWS = 10_000  # a transaction deletes no more than these
RAN = "retention"  # the watermark that keeps the ages of the last retention, for ops.retention

PARTITIONS = """
select p.partition::text as name, p.starts_at, p.ends_at, p.compressed, p.bytes, p.goes
from engine.series as s
cross join lateral (
  select r.*, r.ends_at <= greatest(%(floor)s::timestamptz, s.kept_from) and %(floor)s is not null as goes
  from engine.partitions(s.store, s.width) as r
) as p
where s.relation = %(relation)s and (p.goes or (p.ends_at <= %(old)s and not p.compressed))
order by p.ends_at
"""
COUNT = "select engine.partition_rows(%s, %s) as n"
ROWS_OF = """
select count(*) as n, min(a.at) as starts_at, max(a.at) as ends_at
from ops.aged as a where a.relation = %s and a.at < %s
"""


@dataclass(frozen=True)
class Aged:
    """A table whose rows are deleted one by one past an age.

    ``relation`` is its name in ``ops.aged``, ``setting`` the option that says how many days they are kept, ``prune``
    the statement that takes days and most rows, deletes so many of the oldest and gives how many as ``n``.
    """

    relation: str
    setting: str
    prune: LiteralString


AGED = (
    Aged(
        "ops.run",
        "run_retention_days",
        "select jobs.prune_runs(make_interval(days => %s), %s) as n",
    ),
    Aged(
        "public.procrastinate_jobs",
        "run_retention_days",
        "select jobs.prune_jobs(make_interval(days => %s), %s) as n",
    ),
    Aged(
        "raw.rejected",
        "rejected_retention_days",
        "select raw.prune_rejected(make_interval(days => %s), %s) as n",
    ),
)


@dataclass(frozen=True)
class Going:
    """Something a retention would drop or compress (a partition) or delete (rows).

    ``starts_at`` and ``ends_at`` are the bounds of the partition, or the instants of its oldest and latest row.
    ``bytes`` are known of a partition alone: deleted rows leave room that is filled again.
    """

    relation: str
    how: Literal["drop", "compress", "delete"]
    partition: str | None
    starts_at: datetime
    ends_at: datetime
    rows: int
    bytes: int | None


async def plan(
    db: Database, settings: Settings, aged: Sequence[Aged] = AGED, *, at: datetime | None = None
) -> list[Going]:
    """What :func:`retain` would drop, compress and delete if it ran at ``at`` (now), its rows counted one by one.

    Changes nothing. The samples of roll-ups are not refreshed first, as a retention does, so late rows that a refresh
    would let in are not among the counts of roll-ups.
    """
    now = at or (await read_clock(db)).now()
    compresses = await timeseries.foundation(db) == "timescale"
    async with db.connection() as conn:
        levels = await read_levels(conn)
    going: list[Going] = []
    for level in levels:
        going += await _partitions(db, level, settings, now, compresses=compresses)
    for table in aged:
        row = await db.fetch_one(ROWS_OF, [table.relation, now - _age(table, settings)])
        if (rows := row.pop("n")) > 0:
            going.append(Going(table.relation, "delete", None, rows=rows, bytes=None, **row))
    return going


async def retain(db: Database, settings: Settings, aged: Sequence[Aged] = AGED) -> dict[str, int]:
    """Drop, compress and delete what is older than the settings say.

    Gives how many partitions were dropped and are compressed, and by table how many rows were deleted. Keeps the ages
    for ``ops.retention``. When this dies, the next one goes on.
    """
    async with db.connection() as conn:
        levels = await read_levels(conn)
    names = {level.retention_setting for level in levels} | {
        level.compression_setting for level in levels
    }
    names |= {table.setting for table in aged}
    days = {name: int(getattr(settings, name)) for name in sorted(filter(None, names))}
    await watermark.save(db, RAN, days)
    series = await timeseries.retain(db, settings)
    numbers = {"partitions_dropped": series.dropped, "partitions_compressed": series.compressed}
    for table in aged:
        numbers[table.relation] = await _prune(db, table, days[table.setting])
    return numbers


async def _partitions(
    db: Database, level: Level, settings: Settings, now: datetime, *, compresses: bool
) -> list[Going]:
    floor = timeseries.cut(now, level.width, level.retention_setting, settings)
    old = timeseries.cut(now, level.width, level.compression_setting, settings)
    found = await db.fetch(
        PARTITIONS,
        {"relation": level.relation, "floor": floor, "old": old if compresses else None},
    )
    return [
        Going(
            level.relation,
            "drop" if row["goes"] else "compress",
            row["name"],
            row["starts_at"],
            row["ends_at"],
            (await db.fetch_one(COUNT, [level.relation, row["name"]]))["n"],
            row["bytes"],
        )
        for row in found
    ]


async def _prune(db: Database, table: Aged, days: int) -> int:
    deleted = 0
    while True:
        row = await db.fetch_one(table.prune, [days, ROWS])
        deleted += int(row["n"])
        if row["n"] < ROWS:
            return deleted


def _age(table: Aged, settings: Settings) -> timedelta:
    return timedelta(days=int(getattr(settings, table.setting)))
