"""The data dictionary: what every schema, table, view, column and function is, from the comments."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

Row = Any

# Ours are the schemas that carry a comment and belong to neither the server nor an extension.
SCHEMAS = """
select n.nspname as schema, d.description as comment
from pg_namespace as n
join pg_description as d on d.objoid = n.oid and d.classoid = 'pg_namespace'::regclass
where
  n.nspname not in ('public', 'information_schema')
  and n.nspname not like 'pg\\_%'
  and not exists (
    select from pg_depend as e
    where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e'
  )
order by n.nspname
"""

# Partitions are their parent over again.
COLUMNS = """
select
  c.relname as relation,
  case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'c' then 'type'
    else 'table' end as kind,
  obj_description(c.oid, 'pg_class') as comment,
  obj_description(c.reltype, 'pg_type') as type_comment,
  a.attname as column,
  format_type(a.atttypid, a.atttypmod) as type,
  a.attnotnull and c.relkind <> 'v' as required,
  col_description(c.oid, a.attnum) as meaning
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid
where
  c.relnamespace = %s::regnamespace
  and c.relkind in ('r', 'p', 'v', 'm', 'c')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
order by c.relkind in ('v', 'm'), c.relkind = 'c', c.relname, a.attnum
"""

FUNCTIONS = """
select
  p.proname as name,
  pg_get_function_arguments(p.oid) as arguments,
  pg_get_function_result(p.oid) as result,
  obj_description(p.oid, 'pg_proc') as comment
from pg_proc as p
where p.pronamespace = %s::regnamespace
order by p.proname, arguments
"""

# Those behind an identity are part of their column.
SEQUENCES = """
select c.relname as name, obj_description(c.oid, 'pg_class') as comment
from pg_class as c
where
  c.relnamespace = %s::regnamespace
  and c.relkind = 'S'
  and not exists (
    select from pg_depend as d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
  )
order by c.relname
"""

TITLE = """# Data dictionary

What every schema, table, view, column and function is. Made from the comments of a migrated database by
`etl dictionary`; change the comment, not this page. All instants are UTC."""


def dictionary(url: str) -> str:
    """The data dictionary of the database at ``url``, as Markdown."""
    with psycopg.connect(url, row_factory=namedtuple_row) as conn:
        conn.execute("set search_path = ''")
        schemas = conn.execute(SCHEMAS).fetchall()
        parts = [TITLE, *(part for schema in schemas for part in _schema(conn, schema))]
    return "\n\n".join(parts) + "\n"


def _schema(conn: psycopg.Connection[Row], schema: Row) -> Iterator[str]:
    yield f"## {schema.schema}\n\n{_cell(schema.comment)}"
    columns = conn.execute(COLUMNS, [schema.schema]).fetchall()
    for _, group in groupby(columns, key=lambda row: (row.relation, row.kind)):
        yield from _relation(schema.schema, list(group))
    yield from _list(
        f"### Functions of {schema.schema}",
        (
            (_short(f"{f.name}({f.arguments})" + (f" → {f.result}" if f.result else "")), f.comment)
            for f in conn.execute(FUNCTIONS, [schema.schema])
        ),
    )
    yield from _list(
        f"### Sequences of {schema.schema}",
        ((s.name, s.comment) for s in conn.execute(SEQUENCES, [schema.schema])),
    )


def _relation(schema: str, columns: list[Row]) -> Iterator[str]:
    first = columns[0]
    kind = "" if first.kind == "table" else f" ({first.kind})"
    yield f"### {schema}.{first.relation}{kind}\n\n{_cell(first.comment or first.type_comment)}"
    lines = ["| column | type | meaning |", "|---|---|---|"]
    for row in columns:
        required = ", required" if row.required else ""
        lines.append(f"| `{row.column}` | {_short(row.type)}{required} | {_cell(row.meaning)} |")
    yield "\n".join(lines)


def _list(title: str, entries: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    lines = [f"- `{name}`: {_cell(comment)}" for name, comment in entries]
    if lines:
        yield f"{title}\n\n" + "\n".join(lines)


def _short(types: str) -> str:
    return types.replace("timestamp with time zone", "timestamptz")


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
