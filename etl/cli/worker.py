"""``etl worker``: run jobs."""

import asyncio
import logging
import signal
import socket
from contextlib import suppress
from typing import Annotated

import psycopg
import structlog
import typer
from procrastinate.app import WorkerOptions

from etl.embedded import database_url
from etl.ending import on_end
from etl.engine.migrate import status
from etl.errors import PlainError
from etl.settings import settings
from jobs import app

log = structlog.get_logger(__name__)

HEARD = """
select min(silent_seconds) from ops.worker where host = %s and (%s::text is null or name = %s)
"""


class NotMigrated(PlainError):
    """The database is not what this code needs."""


class NotHealthy(PlainError):
    """No worker of this host gave a sign of life lately."""


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
    *,
    health: Annotated[
        bool,
        typer.Option("--health", help="Run none: tell whether a worker of this host lives."),
    ] = False,
) -> None:
    """Run jobs until SIGTERM, SIGHUP or Ctrl-C: then none is taken any more and those in hand end.

    They have ETL_WORKER_GRACE seconds for it. A second signal puts them back into their queues at once.
    With --health, exit status 0 while a worker of this host (with --name, of that name) gives signs
    of life, 1 when none did for ETL_WORKER_SILENCE seconds.
    """
    if health:
        typer.echo(_signs_of_life(name))
        return
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

    def stop(number: signal.Signals) -> None:
        if stopping.is_set() and number == signal.SIGHUP:
            return  # a terminal that closes may say so twice: that is no second thought
        if stopping.is_set():
            log.warning("worker.aborting")
            app.abort()
            return
        log.info("worker.stopping", grace_seconds=settings().worker_grace)
        stopping.set()
        work.cancel()

    on_end(stop, signal.SIGTERM, signal.SIGINT)
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
    if found.changed:
        others = f" and {len(found.changed) - 1} others" if len(found.changed) > 1 else ""
        raise NotMigrated(
            f"the database was not given sql/{found.changed[0]}{others} as this code has it: run `etl migrate`"
        )


def _signs_of_life(name: str | None) -> str:
    host, silence = socket.gethostname(), settings().worker_silence
    who = f"worker of host {host}" if name is None else f"worker {name} of host {host}"
    with psycopg.connect(database_url(settings()), connect_timeout=10) as conn:
        row = conn.execute(HEARD, [host, name, name]).fetchone()
    silent = row[0] if row else None
    if silent is None:
        raise NotHealthy(f"no {who} runs: start one with `etl worker`")
    if silent > silence:
        raise NotHealthy(
            f"the last sign of life of a {who} is {silent:.0f} s old, more than {silence:.0f}"
        )
    return f"a {who} gave a sign of life {silent:.0f} s ago"


def _quiet() -> None:
    """Leave out what procrastinate says of each job: our own lines say it too, with its numbers."""
    if settings().log_level == "debug":
        return
    for talkative in ("procrastinate", "psycopg.pool"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    logging.getLogger("procrastinate.worker").addFilter(
        lambda record: getattr(record, "action", None) != "job_error"
    )
