"""``etl worker``: run jobs."""

import asyncio
import logging
import signal
from contextlib import suppress
from typing import Annotated

import structlog
import typer
from procrastinate.app import WorkerOptions

from etl.embedded import database_url
from etl.engine.migrate import status
from etl.errors import PlainError
from etl.settings import settings
from jobs import app

log = structlog.get_logger(__name__)


class NotMigrated(PlainError):
    """The database is not what this code needs."""


class WorkerEnded(PlainError):
    """The worker ended although nobody stopped it."""


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option(help="Jobs to run at once.", min=1, show_default="ETL_WORKER_CONCURRENCY"),
    ] = None,
    queues: Annotated[
        str | None,
        typer.Option(help="Queues to take jobs from, with commas between.", show_default="all"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of this worker.", show_default="the host")
    ] = None,
) -> None:
    """Run jobs until SIGTERM or Ctrl-C: then none is taken any more and those in hand end.

    They have ETL_WORKER_GRACE seconds for it. A second signal puts them back into their queues at once.
    """
    _need_current_database()
    _quiet()
    options: WorkerOptions = {"install_signal_handlers": False}
    if concurrency is not None:
        options["concurrency"] = concurrency
    if queues is not None:
        options["queues"] = [queue.strip() for queue in queues.split(",") if queue.strip()]
    if name is not None:
        options["name"] = name
    asyncio.run(_work(options))


async def _work(options: WorkerOptions) -> None:
    stopping = asyncio.Event()
    work = asyncio.create_task(_run(options))

    def stop() -> None:
        if stopping.is_set():
            log.warning("worker.aborting")
            app.abort()
            return
        log.info("worker.stopping", grace_seconds=settings().worker_grace)
        stopping.set()
        work.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await work
    if not stopping.is_set():
        raise WorkerEnded("the worker ended by itself: the lines above say why")
    log.info("worker.stopped")


async def _run(options: WorkerOptions) -> None:
    async with app.open_async():
        await app.run_worker_async(**options)


def _need_current_database() -> None:
    found = status(database_url(settings()))
    if found.newer:
        raise NotMigrated(
            f"the database is at revision {found.revision}, later than this code ({found.head}): install the later"
            " version"
        )
    if found.pending:
        raise NotMigrated(
            f"the database is at revision {found.revision}, this code needs {found.head}: run `etl migrate`"
        )


def _quiet() -> None:
    """Leave out what procrastinate says of each job: our own lines say it too, with its numbers."""
    if settings().log_level == "debug":
        return
    for talkative in ("procrastinate", "psycopg.pool"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    logging.getLogger("procrastinate.worker").addFilter(
        lambda record: getattr(record, "action", None) != "job_error"
    )
