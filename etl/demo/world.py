"""Which simulated world the demo shows, and that a database never mixes two."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from etl.errors import PlainError

NAME = "demo"
SCHEMAS = ["analytics", "engine", "fortnite", "jobs", "ops", "raw", "search", "series"]
# What an extension brought is nobody's data.
FOREIGN = r"""
select format('%%I.%%I', n.nspname, c.relname)
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where
  c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname !~ '^(pg_|information_schema|_?timescaledb)'
  and n.nspname <> all(%s)
  and not (n.nspname = 'public' and starts_with(c.relname, 'procrastinate_'))
  and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype = 'e')
limit 1
"""
QUEUE = """
select format('drop %%s if exists %%s cascade', k.kind, k.name)
from (
  select 1 as nth, 'table' as kind, c.oid::regclass::text as name
  from pg_class as c
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
    and starts_with(c.relname, 'procrastinate_')
  union all
  select 2, 'routine', p.oid::regprocedure::text
  from pg_proc as p
  where p.pronamespace = 'public'::regnamespace and starts_with(p.proname, 'procrastinate_')
  union all
  select 3, 'type', t.oid::regtype::text
  from pg_type as t
  left join pg_class as c on c.oid = t.typrelid
  where t.typnamespace = 'public'::regnamespace and t.typelem = 0
    and coalesce(c.relkind = 'c', true) and starts_with(t.typname, 'procrastinate_')
) as k
order by k.nth
""".replace("%%", "%")


ADVICE = (
    "the demo would mix simulated islands in and drop them later; unset ETL_DATABASE_URL, or name "
    "an empty database"
)


class NotADemo(PlainError):
    """The database holds something that is not a demo's."""


@dataclass(frozen=True)
class World:
    """A made-up world by size and seed, or the recorded one of a folder."""

    islands: int
    seed: int
    replay: Path | None = None

    def identity(self) -> dict[str, Any]:
        """What tells this world from another: equal for equal worlds, JSON."""
        if self.replay is not None:
            return {"replay": str(self.replay.resolve())}
        return {"islands": self.islands, "seed": self.seed}


def claim_database(url: str, world: World) -> bool:
    """Make sure the database is empty or holds this very world; True if another one was dropped.

    A database that holds anything that is no demo's is never touched. Dropping is one transaction.

    Raises:
        NotADemo: the database holds tables of another application, or islands of no demo.
    """
    with psycopg.connect(url, autocommit=True) as conn:
        foreign = conn.execute(FOREIGN, [SCHEMAS]).fetchone()
        if foreign is not None:
            raise NotADemo(f"the configured database holds {foreign[0]}: {ADVICE}")
        if not _holds(conn, "select to_regclass('fortnite.island') is not null"):
            return False
        row = conn.execute("select value from engine.watermark where name = %s", [NAME]).fetchone()
        if row is None and _holds(conn, "select exists(select from fortnite.island)"):
            raise NotADemo(f"the configured database holds islands that are not a demo's: {ADVICE}")
        if row is None or row[0] == world.identity():
            return False
        _drop(conn)
        return True


def remember(url: str, world: World) -> None:
    """Note in the migrated database which world it holds."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "insert into engine.watermark (name, value) values (%s, %s) "
            "on conflict (name) do update set value = excluded.value, moved_at = now()",
            [NAME, Jsonb(world.identity())],
        )


def _holds(conn: psycopg.Connection, question: LiteralString) -> bool:
    row = conn.execute(question).fetchone()
    return row is not None and bool(row[0])


def _drop(conn: psycopg.Connection) -> None:
    """Leave the database as it was before the first migrate."""
    with conn.transaction():
        for schema in SCHEMAS:
            conn.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        for (statement,) in conn.execute(QUEUE).fetchall():
            conn.execute(statement)
