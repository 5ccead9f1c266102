"""Dropping and making what the files of sql/ define, inside the transaction of a migrate."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from etl.engine.sqlfiles import SqlFile, SqlFileError, direct_requirements
from etl.errors import PlainError

Connection = psycopg.Connection[Any]

DROPS = {
    "function": sql.SQL("drop function if exists {}"),
    "procedure": sql.SQL("drop procedure if exists {}"),
    "aggregate": sql.SQL("drop aggregate if exists {}"),
    "view": sql.SQL("drop view if exists {}"),
    "type": sql.SQL("drop type if exists {}"),
    "domain": sql.SQL("drop domain if exists {}"),
}

# What this transaction made so far. Catalogue rows carry the transaction that wrote them.
MADE = """
with mine as (select pg_current_xact_id()::xid as xid)
select 'pg_proc'::regclass::oid::int as class, p.oid::int as oid
from pg_proc as p, mine where p.xmin = mine.xid
union all
select 'pg_class'::regclass::oid::int, c.oid::int
from pg_class as c, mine where c.xmin = mine.xid and c.relkind in ('r', 'v', 'm', 'p', 'S', 'f')
union all
select 'pg_type'::regclass::oid::int, t.oid::int
from pg_type as t left join pg_class as c on c.oid = t.typrelid, mine
where t.xmin = mine.xid and (t.typtype in ('e', 'd') or c.relkind = 'c')
"""

# Which of our objects the catalogue knows to need which other: views, and bodies written as `begin atomic`.
NEEDS = """
with ours as (select * from unnest(%(classes)s::oid[], %(oids)s::oid[], %(paths)s::text[]) as o (class, oid, path)),
edge as (
  select
    case d.classid when 'pg_rewrite'::regclass then 'pg_class'::regclass::oid else d.classid end as class,
    coalesce(r.ev_class, d.objid) as oid,
    case when t.typrelid <> 0 then 'pg_class'::regclass::oid else d.refclassid end as ref_class,
    coalesce(nullif(t.typrelid, 0), d.refobjid) as ref_oid
  from pg_depend as d
  left join pg_rewrite as r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
  left join pg_type as t on d.refclassid = 'pg_type'::regclass and t.oid = d.refobjid
)
select distinct a.path as path, b.path as needs
from edge as e
join ours as a on a.class = e.class and a.oid = e.oid
join ours as b on b.class = e.ref_class and b.oid = e.ref_oid
where a.path <> b.path
order by 1, 2
"""


class StillNeeded(PlainError):
    """Something outside sql/ depends on an object of sql/, which therefore cannot be replaced."""


@dataclass(frozen=True)
class Made:
    """One object of sql/ as the catalogue names it."""

    path: str
    identity: str
    klass: int
    oid: int


def drop_all(conn: Connection) -> None:
    """Drop everything that engine.sql_object lists, last made first.

    Raises:
        StillNeeded: a table, an index or the like depends on one of them.
    """
    rows = conn.execute(
        "select path, kind, identity from engine.sql_object"
        " where kind <> 'grants' order by ordinal desc"
    ).fetchall()
    for path, kind, identity in rows:
        try:
            conn.execute(DROPS[kind].format(sql.SQL(identity)))
        except psycopg.errors.DependentObjectsStillExist as error:
            needed = error.diag.message_detail or error.diag.message_primary
            raise StillNeeded(
                f"sql/{path}: {kind} {identity} cannot be replaced: {needed}. "
                "Tables must not depend on sql/; drop the dependent object first."
            ) from error
    conn.execute("delete from engine.sql_object")


def make_all(conn: Connection, files: Sequence[SqlFile], tell: Callable[[str], None]) -> None:
    """Run the files, each after what it requires, and record what each one made.

    Raises:
        SqlFileError: a file fails, makes something else than it says, or needs what it does not
            declare.
    """
    conn.execute("set local check_function_bodies = on")
    # A name without its schema would mean something else to somebody with another search path.
    conn.execute("set local search_path = ''")
    seen = _made(conn)
    made: list[Made] = []
    for ordinal, file in enumerate(files):
        tell(f"apply {file.path}")
        _run(conn, file, files[ordinal + 1 :])
        identity = file.name
        if file.role is None:
            now = _made(conn)
            made.append(_describe(conn, file, now - seen))
            identity, seen = made[-1].identity, now
        conn.execute(
            "insert into engine.sql_object (path, hash, kind, identity, ordinal)"
            " values (%s, %s, %s, %s, %s)",
            [file.path, file.hash, file.kind, identity, ordinal],
        )
    _check_declared(conn, files, made)


def _made(conn: Connection) -> set[tuple[int, int]]:
    return set(conn.execute(MADE).fetchall())


def _run(conn: Connection, file: SqlFile, later: Sequence[SqlFile]) -> None:
    try:
        # Bytes, because the text is a file and no query with parameters.
        conn.execute(file.text.encode())
    except psycopg.Error as error:
        raise SqlFileError(file.path, _explain(error, file, later)) from error


def _explain(error: psycopg.Error, file: SqlFile, later: Sequence[SqlFile]) -> str:
    said = ". ".join(filter(None, (error.diag.message_primary, error.diag.message_hint)))
    position = error.diag.statement_position
    line = f"line {file.text.count(chr(10), 0, int(position)) + 1}: " if position else ""
    missing = [one.name for one in later if re.search(rf"\b{one.name}\b", said)]
    return f"{line}{said or error}{_declare(missing[0]) if missing else ''}"


def _declare(name: str) -> str:
    return f". Declare it in the first line: -- requires: {name}"


def _describe(conn: Connection, file: SqlFile, new: set[tuple[int, int]]) -> Made:
    found: list[Made] = []
    for klass, oid in new:
        row = conn.execute(
            "select identity from pg_identify_object(%s, %s, 0)", [klass, oid]
        ).fetchone()
        assert row is not None
        found.append(Made(file.path, row[0], klass, oid))
    if len(found) != 1:
        names = ", ".join(sorted(made.identity for made in found)) or "nothing new"
        raise SqlFileError(file.path, f"must make {file.name} alone, but made {names}")
    return found[0]


def _check_declared(conn: Connection, files: Sequence[SqlFile], made: Sequence[Made]) -> None:
    rows = conn.execute(
        NEEDS,
        {
            "classes": [one.klass for one in made],
            "oids": [one.oid for one in made],
            "paths": [one.path for one in made],
        },
    ).fetchall()
    direct = direct_requirements(files)
    names = {file.path: file.name for file in files}
    for path, needs in rows:
        if needs not in reachable(direct, path):
            raise SqlFileError(path, f"uses {names[needs]}{_declare(names[needs])}")


def reachable(direct: dict[str, set[str]], path: str) -> set[str]:
    """Every path that ``path`` requires, directly or through others."""
    found: set[str] = set()
    left = set(direct[path])
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left |= direct[one]
    return found
