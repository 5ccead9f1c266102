"""An app of the test's own, on the test's own database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
from procrastinate.app import WorkerOptions
from psycopg.rows import dict_row

import etl.settings
from jobs.application import Application

Row = dict[str, object]


@pytest.fixture
async def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    """An app without tasks, open."""
    monkeypatch.setenv("ETL_DATABASE_URL", database_url)
    monkeypatch.setenv("ETL_WORKER_SILENCE", "3")
    etl.settings.settings.cache_clear()
    app = Application([])
    async with app.open_async():
        yield app
    etl.settings.settings.cache_clear()


Rows = Callable[..., Awaitable[list[Row]]]


@pytest.fixture
def rows(conn: psycopg.AsyncConnection) -> Rows:
    """Runs a query and gives its rows."""

    async def query(text: str, *params: object) -> list[Row]:
        cursor = await conn.cursor(row_factory=dict_row).execute(text.encode(), params)
        return await cursor.fetchall() if cursor.description else []

    return query


async def drain(app: Application, *, concurrency: int = 1) -> None:
    """Run what can be run now, to its end."""
    await app.run_worker_async(
        wait=False, concurrency=concurrency, install_signal_handlers=False, listen_notify=False
    )


@asynccontextmanager
async def working(
    app: Application, *, concurrency: int = 8, queues: list[str] | None = None
) -> AsyncIterator[None]:
    """A worker beside the test."""
    options = WorkerOptions(
        concurrency=concurrency,
        install_signal_handlers=False,
        fetch_job_polling_interval=0.1,
        shutdown_graceful_timeout=1,
    )
    if queues is not None:
        options["queues"] = queues
    worker = asyncio.create_task(app.run_worker_async(**options))
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
    """Wait until a condition holds, but not for ever."""
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)
