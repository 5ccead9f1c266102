"""All that a database's catalogue says of its time series, in a form that can be compared with another database's."""

import re
from typing import Any

import psycopg

PARTS = {
    "columns": """
      select c.oid::regclass, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attcompression, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
      from pg_class as c
      join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.oid = any(%(tables)s::regclass[])""",
    "tables": """
      select c.oid::regclass, c.relkind, c.reloptions, c.relacl, pg_get_userbyid(c.relowner), obj_description(c.oid)
      from pg_class as c where c.oid = any(%(tables)s::regclass[])""",
    "constraints": """
      select conrelid::regclass, conname, pg_get_constraintdef(oid)
      from pg_constraint where conrelid = any(%(tables)s::regclass[])""",
    "indexes": """
      select pg_get_indexdef(i.indexrelid) from pg_index as i
      where i.indrelid = any(%(tables)s::regclass[] || %(hidden)s::regclass[])""",
    "triggers": """
      select tgrelid::regclass, pg_get_triggerdef(oid) from pg_trigger
      where tgrelid = any(%(tables)s::regclass[] || '{engine.series,engine.late}') and not tgisinternal""",
    "dimensions": """
      select hypertable_schema, hypertable_name, column_name, column_type, time_interval
      from timescaledb_information.dimensions""",
    "compression": """
      select hypertable_schema, hypertable_name, attname, segmentby_column_index, orderby_column_index, orderby_asc
      from timescaledb_information.compression_settings""",
    "aggregates": """
      select view_schema, view_name, view_owner, materialized_only, compression_enabled, view_definition
      from timescaledb_information.continuous_aggregates""",
    "objects": "select path, hash, identity from engine.sql_object",
    "schemas": "select nspname, nspacl from pg_namespace where nspname !~ '^(pg_|_?timescaledb)'",
    "foundation": "select value from engine.watermark where name = 'timeseries'",
    "revision": "select version_num from engine.alembic_version",
}
NUMBERED = re.compile(r"(hypertable_|_ccu_\w+?_|invalidation_trigger\('?)\d+")
TABLES = "select store from engine.series order by store"
HIDDEN = """
select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
from timescaledb_information.continuous_aggregates
"""


def catalogue(url: str) -> dict[str, list[Any]]:
    """What the catalogue says; numbers that TimescaleDB gives to what it makes are left out."""
    with psycopg.connect(url, autocommit=True) as conn:
        tables = [name for (name,) in conn.execute(TABLES).fetchall()]
        hidden = [name for (name,) in conn.execute(HIDDEN).fetchall()]
        found = {}
        for part, query in PARTS.items():
            rows = conn.execute(query, {"tables": tables, "hidden": hidden}).fetchall()
            found[part] = sorted(NUMBERED.sub(r"\1N", repr(row)) for row in rows)
        return found
