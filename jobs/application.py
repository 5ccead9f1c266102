"""The procrastinate app: connects when it is opened, and gives its workers their tools."""

import json
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from importlib import import_module
from typing import Any, Unpack

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.app import WorkerOptions
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool
from typing_extensions import override

from etl.embedded import NotRunning, database_url
from etl.settings import Settings, settings
from jobs.manager import Identity, Manager
from jobs.tools import Tools, open_tools

Work = Callable[[Tools], Awaitable[object]]

A_DAY = 86_400.0


class Application(App):
    """An app whose import needs no server; ``procrastinate worker`` and ``etl worker`` run the same worker."""

    def __init__(self, import_paths: list[str]) -> None:
        super().__init__(
            connector=PsycopgConnector(conninfo=_where, pool_factory=POOL),
            import_paths=import_paths,
            # What fell due while no worker ran is done when one starts: the last tick of each task, once.
            periodic_defaults={"max_delay": A_DAY},
        )
        self._manager = Manager(self.connector, self.periodic_registry)
        self.job_manager = self._manager

    def every(
        self, cron: str, name: str, *, queue: str, priority: int = 0, lock: bool = True
    ) -> Callable[[Work], Work]:
        """Declare work as the task ``name``, due whenever ``cron`` (UTC; a sixth field is seconds) says.

        At most one of its jobs waits and, with ``lock``, at most one runs. It is never retried: the next tick is
        the retry, and progress is kept by the engine in its own tables. What it returns are the numbers of its run,
        the first line of its docstring is what operators read.
        """

        def declare(work: Work) -> Work:
            @wraps(work, assigned=("__doc__",), updated=())
            async def run(context: JobContext, timestamp: int | None = None) -> object:
                del timestamp  # a job that waited does the work of now, not that of its tick
                return await work(context.additional_context["tools"])

            task = self.task(
                name=name,
                queue=queue,
                priority=priority,
                lock=name if lock else None,
                queueing_lock=name,
                pass_context=True,
            )(run)
            self.periodic(cron=cron)(task)
            return work

        return declare

    @override
    async def run_worker_async(self, **kwargs: Unpack[WorkerOptions]) -> None:
        """Run a worker until it is stopped; options not given come from the settings.

        Ends by itself only with ``wait=False``, or when something is wrong that waiting does not mend (logged).
        """
        for path in self.import_paths:
            import_module(path)
        chosen = settings()
        async with open_tools(chosen) as tools:
            options = _with_defaults(kwargs, chosen)
            self._manager.enlist(
                _identity(options),
                patience=options["stalled_worker_timeout"],
                most_attempts=chosen.worker_attempts,
            )
            await tools.database.execute(
                "select jobs.declare(%s::jsonb)", [json.dumps(self._declarations())]
            )
            options["additional_context"] = {
                "tools": tools,
                **options.get("additional_context", {}),
            }
            options["worker_middleware"] = [
                self._manager.hands.watch,
                *options.get("worker_middleware", []),
            ]
            await super().run_worker_async(**options)

    def abort(self) -> None:
        """Cancel the jobs in hand of the worker that runs here; they go back into their queues."""
        self._manager.hands.abort()

    def _declarations(self) -> list[dict[str, Any]]:
        crons = {
            name: periodic.cron
            for (name, _), periodic in self.periodic_registry.periodic_tasks.items()
        }
        return [
            {
                "name": task.name,
                "queue": task.queue,
                "priority": task.priority,
                "lock": task.lock,
                "queueing_lock": task.queueing_lock,
                "cron": crons.get(task.name),
                "about": (task.func.__doc__ or "").strip().partition("\n")[0],
            }
            for task in set(self.tasks.values())
            if not task.name.startswith("builtin:")
        ]


def _with_defaults(given: WorkerOptions, chosen: Settings) -> WorkerOptions:
    defaults: WorkerOptions = {
        "name": socket.gethostname(),
        "concurrency": chosen.worker_concurrency,
        "shutdown_graceful_timeout": chosen.worker_grace,
        "stalled_worker_timeout": chosen.worker_silence,
        "update_heartbeat_interval": chosen.worker_silence / 3,
    }
    return {**defaults, **given}


def _identity(options: WorkerOptions) -> Identity:
    queues = options.get("queues")
    return Identity(
        name=options["name"],
        host=socket.gethostname(),
        pid=os.getpid(),
        queues=None if queues is None else list(queues),
        concurrency=options["concurrency"],
    )


def _where() -> str:
    try:
        return database_url(settings())
    except NotRunning as error:
        raise OperationalError(str(error)) from error


async def _autocommit(connection: AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)


# Every call of procrastinate is one statement: a transaction around it would be two more round trips.
POOL = partial(
    AsyncConnectionPool,
    name="jobs",
    configure=_autocommit,
    kwargs={"application_name": "headrace jobs"},
    min_size=1,
    max_size=4,
    timeout=10,
    reconnect_timeout=10,
)
