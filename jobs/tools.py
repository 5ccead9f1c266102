"""What the tasks of one worker share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from etl.embedded import database_url
from etl.engine.database import Database, open_database
from etl.settings import Settings


@dataclass(frozen=True)
class Tools:
    """The options and the database: opened when a worker starts, closed when it ends."""

    settings: Settings
    database: Database


@asynccontextmanager
async def open_tools(settings: Settings) -> AsyncIterator[Tools]:
    """Open what every task needs.

    Raises:
        NotRunning: no database is configured and the embedded one does not run.
        psycopg_pool.PoolTimeout: it does not answer.
    """
    url = database_url(settings)
    async with open_database(url, size=settings.database_pool, name="headrace worker") as database:
        yield Tools(settings, database)
