"""Moving the time series of a plain database to TimescaleDB, on the server it is on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from etl.engine import staging
from etl.engine.migrate import make_objects, take_lock, told_when_busy
from etl.engine.schema import read_status
from etl.engine.sqlobjects import drop_all
from etl.engine.staging import Level, Span
from etl.engine.standing import missing
from etl.errors import PlainError
from etl.settings import Settings

Connection = psycopg.Connection[Any]
Progress = Callable[[str, int, int], None]

SPANS = """
select
  (regexp_match(b.bound, 'FROM \\(''([^'']*)''\\) TO'))[1]::timestamptz,
  (regexp_match(b.bound, 'TO \\(''([^'']*)''\\)'))[1]::timestamptz
from pg_inherits as i
inner join pg_class as c on i.inhrelid = c.oid
cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) as b
where i.inhparent = %s::regclass
order by 1
"""
DIGEST = """
select date_bin(%(unit)s, {instant}, '2000-01-01 00:00:00+00') as unit,
  count(*), sum(hash_record_extended(row({columns}), 0))
from {table}
where {instant} >= %(start)s and {instant} < %(end)s
group by 1
"""
WIPE = "delete from {table} where {instant} >= %(start)s and {instant} < %(end)s"
COPY = """
insert into {table} ({columns})
select {columns} from {store} where {instant} >= %(start)s and {instant} < %(end)s
"""
STRAY = """
delete from {table} where not {instant} <@ %s::tstzmultirange
"""


class CannotSwitch(PlainError):
    """The database cannot be moved to TimescaleDB as things are."""


class NotTheSame(PlainError):
    """What was copied differs from what it was copied from."""


@dataclass
class Moved:
    """A relation that was moved: rows, days they are of, and days whose rows had to be copied by this run."""

    relation: str
    rows: int = 0
    days: int = 0
    copied: int = 0


def move(url: str, settings: Settings, progress: Progress) -> list[Moved]:
    """Move the time series of a plain database to TimescaleDB.

    New tables are made beside the old ones. What there is is copied, an hour of samples or a partition of a roll-up a
    transaction, while workers go on. Then nobody else may write (whoever tries is told so and tries again): every day
    is compared by count and checksum, what differs is copied again, and in one transaction the new tables take the
    place of the old and sql/ is made for them. Needs the space of both meanwhile.

    Killed at any point the database is as before, writers go on at once, and the next call goes on with what is
    copied. ``progress`` is told a relation, how much of it was looked at, and of how much.

    Raises:
        CannotSwitch: TimescaleDB is not to be had, is not wanted, or the database is not as this code has it.
        NotTheSame: a day differs after it was copied; nothing was changed.
        Busy: somebody held a lock for too long; call it again.
    """
    with told_when_busy(), _connected(url) as conn:
        _prepare(conn, settings)
        levels = staging.read_levels(conn)
        for level in levels:
            _bring(conn, level, progress, Moved(level.relation), strict=False)
        conn.execute(staging.ALONE)
        moved = [
            _bring(conn, level, progress, Moved(level.relation), strict=True) for level in levels
        ]
        _swap(conn, levels)
        for level in levels:
            table = level.store if level.is_samples else level.target
            conn.execute(sql.SQL("analyze {}").format(staging.named(table)))
        return moved


def cancel(url: str) -> bool:
    """Drop what a move that did not end has made; False where there was none.

    Raises:
        Busy: it still runs.
    """
    with told_when_busy(), _connected(url) as conn, conn.transaction():
        take_lock(conn)
        if staging.began(conn) is None:
            return False
        staging.drop(conn)
        return True


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    with psycopg.connect(
        url, autocommit=True, application_name="headrace switch", options="-c timezone=UTC"
    ) as conn:
        # The lock that keeps writers out ends with the session.
        conn.execute("select set_config('lock_timeout', '30s', false)")
        yield conn


def _prepare(conn: Connection, settings: Settings) -> None:
    """Make the new tables, unless an earlier call of the same code did."""
    with conn.transaction():
        take_lock(conn)
        revision = _refuse(conn, settings)
        conn.execute("create extension if not exists timescaledb")
        if staging.began(conn) == revision:
            return
        if staging.began(conn) is not None:
            staging.drop(conn)
        staging.make(conn, revision)


def _refuse(conn: Connection, settings: Settings) -> str:
    there = read_status(conn)
    if there.foundation == "timescale":
        raise CannotSwitch("this database keeps its time series on TimescaleDB already")
    if settings.timeseries == "plain":
        raise CannotSwitch("ETL_TIMESERIES is plain: set it to auto or timescale first")
    if not there.current or there.revision is None:
        raise CannotSwitch("the database is not as this code has it: run `etl migrate` first")
    against = missing(conn)
    if against is not None:
        raise CannotSwitch(against)
    return there.revision


def _bring(
    conn: Connection, level: Level, progress: Progress, moved: Moved, *, strict: bool
) -> Moved:
    """Copy what differs in count or checksum; ``strict``: and compare it again, with nobody else writing."""
    spans = [Span(*row) for row in conn.execute(SPANS, [level.store]).fetchall()]
    if strict:
        kept = ",".join(f"[{span.start},{span.end})" for span in spans)
        conn.execute(_filled(STRAY, level, level.target), [f"{{{kept}}}"])
    for done, span in enumerate(spans):
        progress(level.relation, done, len(spans))
        source = _digest(conn, level, level.store, span)
        differ = _differing(source, _digest(conn, level, level.target, span))
        for part in _parts(level, span, differ):
            with conn.transaction():
                conn.execute(_filled(WIPE, level, level.target), asdict(part))
                conn.execute(_filled(COPY, level, level.target), asdict(part))
        left = differ if strict else []
        if left and (left := _differing(source, _digest(conn, level, level.target, span))):
            raise NotTheSame(
                f"{level.relation} differs at {left[0]} after it was copied: nothing was changed. Look for who writes"
                " past its tables, and start again"
            )
        moved.rows += sum(count for count, _ in source.values())
        moved.days += len({unit.date() for unit in source})
        moved.copied += len({unit.date() for unit in differ})
    progress(level.relation, len(spans), len(spans))
    return moved


def _parts(level: Level, span: Span, differ: Sequence[datetime]) -> list[Span]:
    """What is copied in a transaction each: hours of samples that differ, of a roll-up its partition."""
    if level.is_samples:
        return [Span(unit, unit + level.unit) for unit in differ]
    return [span] if differ else []


def _digest(
    conn: Connection, level: Level, table: str, span: Span
) -> dict[datetime, tuple[int, int]]:
    """Count and checksum of the rows of a span, by unit."""
    params = {**asdict(span), "unit": level.unit}
    rows = conn.execute(_filled(DIGEST, level, table), params).fetchall()
    return {unit: (count, checksum) for unit, count, checksum in rows}


def _differing(
    one: Mapping[datetime, tuple[int, int]], other: Mapping[datetime, tuple[int, int]]
) -> list[datetime]:
    return sorted(unit for unit in one.keys() | other.keys() if one.get(unit) != other.get(unit))


def _filled(query: LiteralString, level: Level, table: str) -> sql.Composed:
    return sql.SQL(query).format(
        table=staging.named(table),
        store=staging.named(level.store),
        instant=sql.Identifier(level.instant),
        columns=sql.SQL(", ").join(sql.Identifier(column) for column in level.columns),
    )


def _swap(conn: Connection, levels: Sequence[Level]) -> None:
    """Put the new tables in the place of the old, with all of sql/ made for them, in one transaction."""
    with conn.transaction():
        take_lock(conn)
        there = read_status(conn)
        if not there.current or there.revision is None or staging.began(conn) != there.revision:
            raise CannotSwitch("the database was migrated meanwhile: start again")
        drop_all(conn)
        staging.put_in_place(conn, levels)
        conn.execute(
            'update engine.watermark set value = \'{"foundation": "timescale"}\', moved_at = now()'
            " where name = 'timeseries'"
        )
        make_objects(conn, there.revision, lambda _: None)
