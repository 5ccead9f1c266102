"""A database whose clock a test drives by hand: what asks for now() gets the instant that was set last."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import psycopg
from psycopg import sql

from etl.engine.database import Database, open_database


@asynccontextmanager
async def open_clocked(url: str, at: datetime) -> AsyncIterator[Database]:
    """The test's own database with its clock at an instant.

    Functions find this now() before the server's, as nothing else of ours is named without its schema.
    """
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create schema sim")
        conn.execute("create table sim.clock as select %s::timestamptz as at", [at])
        conn.execute(
            "create function sim.now() returns timestamptz language sql stable "
            "as 'select c.at from sim.clock as c'"
        )
        # a default knows its function from when it was made
        conn.execute("alter table engine.crawl alter column due_at set default sim.now()")
        name = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("alter database {} set search_path = sim, pg_catalog").format(name))
    async with open_database(url, size=6) as db:
        yield db


async def set_clock(db: Database, at: datetime) -> None:
    """Set the clock."""
    await db.execute("update sim.clock set at = %s", (at,))
