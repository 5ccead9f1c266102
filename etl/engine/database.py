"""The connection to PostgreSQL: a pool whose statements survive a deadlock and a restart."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

Params = Sequence[Any] | Mapping[str, Any]
Connection = psycopg.AsyncConnection[DictRow]

RETRIED = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
LOST = (psycopg.OperationalError, psycopg.InterfaceError)
HOPELESS = ("54", "57014")
"""Starts of SQLSTATE that psycopg counts among the lost: data past a limit, a statement that was ended."""
TRIES = 6


class Database:
    """A pool of autocommit connections: a call is one statement, so one transaction."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    async def fetch(
        self, query: LiteralString, params: Params = (), *, binary: bool = False
    ) -> list[DictRow]:
        """Run one idempotent statement and return its rows; ``binary`` halves what bytes cost.

        A deadlock, a serialization failure or a lost connection is tried again with backoff, so
        the statement may run twice: all that is sent here must be idempotent, as sql/ is.

        Raises:
            psycopg.Error: what the server said, or that it stayed away for all tries.
        """
        for attempt in range(TRIES):
            try:
                async with self._pool.connection() as conn:
                    cursor = await conn.execute(query, params, binary=binary)
                    return await cursor.fetchall() if cursor.description else []
            except (*RETRIED, *LOST) as error:
                if attempt == TRIES - 1 or (error.sqlstate or "").startswith(HOPELESS):
                    raise
                await asyncio.sleep(0.05 * 2**attempt)
        raise AssertionError("unreachable")

    async def fetch_one(
        self, query: LiteralString, params: Params = (), *, binary: bool = False
    ) -> DictRow:
        """Run one statement that gives exactly one row, as :meth:`fetch` does."""
        (row,) = await self.fetch(query, params, binary=binary)
        return row

    async def execute(self, query: LiteralString, params: Params = ()) -> None:
        """Run one statement for its effect, as :meth:`fetch` does."""
        await self.fetch(query, params)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """An autocommit connection for what one statement cannot do. Nothing is tried again."""
        async with self._pool.connection() as conn:
            yield conn


@asynccontextmanager
async def open_database(
    url: str, *, size: int = 10, name: str = "headrace"
) -> AsyncIterator[Database]:
    """Open a pool on ``url``; closed at exit. ``name`` shows in pg_stat_activity.

    Raises:
        psycopg_pool.PoolTimeout: the server cannot be reached within 30 seconds.
    """
    pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
        url,
        connection_class=psycopg.AsyncConnection[DictRow],
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "application_name": name,
            "options": "-c timezone=UTC",
        },
        min_size=1,
        max_size=size,
        check=AsyncConnectionPool.check_connection,
        # past it the pool begins anew, so that no pause grows to minutes while a server is away
        reconnect_timeout=10,
        open=False,
    )
    async with pool:
        await pool.wait()
        yield Database(pool)
