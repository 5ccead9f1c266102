"""Which simulated world the demo shows, and that a database never mixes two."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from etl.errors import PlainError

NAME = "demo"
OURS = """
select n.nspname
from pg_namespace as n
where n.nspname !~ '^(pg_|information_schema|_?timescaledb)'
"""


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
    """Make sure the database is empty or holds this very world; True where another one was dropped.

    A database that holds islands of no demo is never touched. Dropping is one transaction.

    Raises:
        NotADemo: the database holds real data.
    """
    with psycopg.connect(url, autocommit=True) as conn:
        if not _holds(conn, "select to_regclass('fortnite.island') is not null"):
            return False
        row = conn.execute("select value from engine.watermark where name = %s", [NAME]).fetchone()
        if row is None and _holds(conn, "select exists(select from fortnite.island)"):
            raise NotADemo(
                "the configured database holds islands that are not a demo's, and the demo would "
                "mix simulated ones in: unset ETL_DATABASE_URL, or name an empty database"
            )
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
    """Leave the database as it was made."""
    with conn.transaction():
        for (schema,) in conn.execute(OURS).fetchall():
            conn.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
        conn.execute("create schema public")
        conn.execute("grant usage on schema public to public")
