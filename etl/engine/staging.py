"""The tables that a plain database is moved to, made beside those it has, and put in their place at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from etl.engine.revisions import declared

Connection = psycopg.Connection[Any]

SCHEMA = "switching"

# What makes TimescaleDB of a table or makes its roll-ups, as migrations had it, and the schema they had it for. A
# migration that changes these for a database on TimescaleDB is added here.
MADE_BY = (
    ("0004", "TIMESCALE_HYPERTABLE", "fortnite"),
    ("0004", "TIMESCALE_STORES", "fortnite"),
    ("0008", "HYPERTABLE", "raw"),
)

LEVELS = """
with recursive level as (
  select s.*, 0 as depth from engine.series as s where s.source is null
  union all
  select s.*, l.depth + 1 from engine.series as s inner join level as l on s.source = l.relation
)
select l.relation, l.store, l.source is null
from level as l
where not l.by_function -- the same table on either foundation
order by l.depth, l.relation
"""
COLUMNS = """
select a.attname, a.attnum = p.partattrs[0]
from pg_attribute as a
inner join pg_partitioned_table as p on a.attrelid = p.partrelid
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""
AGGREGATE = """
select format('%%I.%%I', c.materialization_hypertable_schema, c.materialization_hypertable_name)
from timescaledb_information.continuous_aggregates as c
where format('%%I.%%I', c.view_schema, c.view_name) = %s
"""
GUARDED: LiteralString = """
create trigger switching before insert or update or delete or truncate on {}
for each statement execute function switching.hold_off()
"""
HOLD_OFF = """
create function switching.hold_off() returns trigger
language plpgsql
as $$
begin
  if not pg_try_advisory_xact_lock_shared('engine.series'::regclass::oid::integer, hashtext('switching')) then
    raise exception 'the time series are being moved to TimescaleDB: nothing is written until that ends'
      using errcode = 'object_in_use', hint = 'Workers try again by themselves.';
  end if;
  return null;
end
$$
"""
ALONE = "select pg_advisory_lock('engine.series'::regclass::oid::integer, hashtext('switching'))"
TRIGGERS = """
select pg_get_triggerdef(t.oid)
from pg_trigger as t
inner join pg_proc as p on t.tgfoid = p.oid
where t.tgrelid = %s::regclass and not t.tgisinternal and p.pronamespace <> 'switching'::regnamespace
order by t.tgname
"""
COMMENTS = """
select d.objsubid, d.description, a.attname
from pg_description as d
left join pg_attribute as a on d.objoid = a.attrelid and d.objsubid = a.attnum and d.objsubid > 0
where d.classoid = 'pg_class'::regclass and d.objoid = %s::regclass
order by d.objsubid
"""


@dataclass(frozen=True)
class Level:
    """A level of a series on its way: its partitioned table ``store``, and ``target``, where its rows go."""

    relation: str
    store: str
    target: str
    is_samples: bool
    columns: tuple[str, ...]
    instant: str

    @property
    def unit(self) -> timedelta:
        """How much of it one checksum covers: an hour of samples, a day of a roll-up."""
        return timedelta(hours=1) if self.is_samples else timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Instants from one to before the other."""

    start: datetime
    end: datetime


def began(conn: Connection) -> str | None:
    """The revision at which a move was begun that has not ended; None where none was."""
    row = conn.execute(
        "select obj_description(n.oid, 'pg_namespace') from pg_namespace as n where n.nspname = %s",
        [SCHEMA],
    ).fetchone()
    return None if row is None else row[0]


def make(conn: Connection, revision: str) -> None:
    """Make the new tables, empty, and :func:`guard` the old."""
    guard(conn, revision)
    stores = [(store, is_samples) for _, store, is_samples in conn.execute(LEVELS).fetchall()]
    for store, is_samples in stores:
        if is_samples:
            like = sql.SQL("create table {} (like {} including all)")
            conn.execute(like.format(named(_staged(store)), named(store)))
    for origin, name, schema in MADE_BY:
        found = declared(origin, name)
        for statement in (found,) if isinstance(found, str) else found:
            conn.execute(
                statement.replace(f"{schema}.", "switching.")
                .replace(f"'{schema}'", "'switching'")
                .encode()
            )


def guard(conn: Connection, revision: str) -> None:
    """Make the triggers that let nobody write to a series once a session has run ALONE, for as long as it lives."""
    conn.execute("create schema switching")
    conn.execute(sql.SQL("comment on schema switching is {}").format(revision))
    conn.execute(HOLD_OFF)
    stores = (store for _, store, _ in conn.execute(LEVELS).fetchall())
    for table in ("engine.series", "engine.late", *stores):
        conn.execute(sql.SQL(GUARDED).format(named(table)))


def drop(conn: Connection) -> None:
    """Drop what :func:`make` made."""
    aggregates = conn.execute(
        "select view_name from timescaledb_information.continuous_aggregates"
        " where view_schema = %s order by materialization_hypertable_name desc",
        [SCHEMA],
    ).fetchall()
    for (name,) in aggregates:
        conn.execute(sql.SQL("drop materialized view {}").format(sql.Identifier(SCHEMA, name)))
    conn.execute("drop schema switching cascade")


def read_levels(conn: Connection) -> list[Level]:
    """Every level, each after the one it is made from, and where its rows go."""
    return [_level(conn, *row) for row in conn.execute(LEVELS).fetchall()]


def _level(conn: Connection, relation: str, store: str, is_samples: object) -> Level:
    columns = conn.execute(COLUMNS, [store]).fetchall()
    target = _staged(store)
    if not is_samples:
        row = conn.execute(AGGREGATE, [target]).fetchone()
        assert row is not None
        target = row[0]
    (instant,) = (name for name, is_key in columns if is_key)
    names = tuple(name for name, _ in columns)
    return Level(relation, store, target, bool(is_samples), names, instant)


def put_in_place(conn: Connection, levels: Sequence[Level]) -> None:
    """Drop the partitioned tables and give the new ones their names, triggers and comments."""
    for level in reversed(levels):
        triggers = conn.execute(TRIGGERS, [level.store]).fetchall()
        comments = conn.execute(COMMENTS, [level.store]).fetchall()
        schema = level.store.partition(".")[0]
        conn.execute(sql.SQL("drop table {}").format(named(level.store)))
        kind = sql.SQL("table" if level.is_samples else "materialized view")
        move = sql.SQL("alter {} {} set schema {}")
        conn.execute(move.format(kind, named(_staged(level.store)), sql.Identifier(schema)))
        for (definition,) in triggers:
            conn.execute(definition.encode())
        _comment(conn, level, comments)
    conn.execute("drop schema switching cascade")


def _comment(conn: Connection, level: Level, comments: Sequence[tuple[int, str, str]]) -> None:
    kind = sql.SQL("table" if level.is_samples else "view")
    for number, text, column in comments:
        if number == 0:
            said = sql.SQL("comment on {} {} is {}").format(kind, named(level.store), text)
        else:
            said = sql.SQL("comment on column {}.{} is {}").format(
                named(level.store), sql.Identifier(column), text
            )
        conn.execute(said)


def _staged(store: str) -> str:
    return f"{SCHEMA}.{store.partition('.')[2]}"


def named(qualified: str) -> sql.Identifier:
    """``schema.name``, quoted."""
    return sql.Identifier(*qualified.split("."))
