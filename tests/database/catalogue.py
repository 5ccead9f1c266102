"""All that a database's catalogue says of what is ours, in a form that two databases can be compared in."""

from collections import defaultdict
from typing import Any

import psycopg

# Neither the server's nor an extension's.
OURS = """
with ours as (
  select n.oid, n.nspname, n.nspacl from pg_namespace as n
  where n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
  and not exists (
    select from pg_depend as e
    where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e'
  )
)
"""

QUERIES = {
    "schema": "select nspname, nspacl from ours",
    "relation": """
        select c.oid::regclass, c.relkind, c.reloptions, c.relacl, c.relispartition,
          pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid)
        from pg_class as c join ours on ours.oid = c.relnamespace where c.relkind <> 'i'""",
    "column": """
        select c.oid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
          a.attnotnull, a.attidentity, a.attgenerated, a.attacl, a.attcollation::regcollation,
          pg_get_expr(d.adbin, d.adrelid)
        from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid
        join ours on ours.oid = c.relnamespace
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attnum > 0 and not a.attisdropped and c.relkind <> 'i'""",
    "constraint": """
        select conrelid::regclass, conname, pg_get_constraintdef(k.oid)
        from pg_constraint as k join ours on ours.oid = k.connamespace""",
    "index": """
        select pg_get_indexdef(c.oid), c.reloptions
        from pg_class as c join ours on ours.oid = c.relnamespace where c.relkind in ('i', 'I')""",
    "view": """
        select c.oid::regclass, pg_get_viewdef(c.oid)
        from pg_class as c join ours on ours.oid = c.relnamespace where c.relkind = 'v'""",
    "routine": """
        select p.oid::regprocedure, pg_get_functiondef(p.oid), p.proacl, p.proowner::regrole
        from pg_proc as p join ours on ours.oid = p.pronamespace where p.prokind in ('f', 'p')""",
    "type": """
        select t.oid::regtype, t.typtype, t.typacl,
          array(select enumlabel from pg_enum where enumtypid = t.oid order by enumsortorder)
        from pg_type as t join ours on ours.oid = t.typnamespace where t.typtype <> 'b'""",
    "trigger": """
        select pg_get_triggerdef(t.oid) from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
        join ours on ours.oid = c.relnamespace where not t.tgisinternal""",
    "comment": """
        select i.type, i.identity, d.description
        from pg_description as d
        cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as i
        join ours on ours.nspname = coalesce(i.schema, i.name)""",
    "applied": "select path, hash, kind, identity from engine.sql_object",
}


def catalogue(url: str) -> dict[str, list[str]]:
    """Lines of text by kind of thing, sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    with psycopg.connect(url) as conn:
        conn.execute("set search_path = ''")
        for kind, query in QUERIES.items():
            found[kind] = sorted(_line(row) for row in conn.execute(OURS + query))
    return dict(found)


def _line(row: tuple[Any, ...]) -> str:
    return " | ".join(
        sorted(map(str, v)).__repr__() if isinstance(v, list) else str(v) for v in row
    )
