"""How workers take and end jobs: pauses obeyed, every run in ``ops.run``, the database free to go away for a while.

Taking a job opens its run and ending it closes the run, each inside the one statement that procrastinate needs
anyway: history costs no round trip, and neither a job nor its run can change without the other.
"""

import asyncio
import json
import logging
import math
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString

import structlog
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager, NotificationCallback
from procrastinate.periodic import PeriodicDeferrer, PeriodicRegistry, PeriodicTask
from psycopg import InterfaceError, OperationalError
from psycopg.errors import ForeignKeyViolation
from typing_extensions import override

from etl.engine import runs
from jobs.hands import Hands, Hold

log = structlog.get_logger(__name__)

FETCH: LiteralString = "select * from jobs.fetch(%(queues)s::text[], %(worker_id)s, %(worker)s)"
FINISH: LiteralString = """
select jobs.finish(
  %(job_id)s, %(attempts)s, %(status)s, %(delete)s, %(back)s, %(run_id)s, %(error)s,
  %(numbers)s::jsonb
) as ours
"""
GIVE_BACK: LiteralString = (
    "select * from jobs.give_back(%(worker_id)s, %(in_hand)s::bigint[], %(most_attempts)s)"
)
BEAT: LiteralString = """
select jobs.beat(
  %(worker_id)s, %(name)s, %(host)s, %(pid)s, %(queues)s::text[], %(concurrency)s
) as worker_id
"""


@dataclass(frozen=True)
class Identity:
    """Who the worker of this process is, for ``ops.worker``; ``queues`` None means all."""

    name: str
    host: str
    pid: int
    queues: list[str] | None
    concurrency: int


class Manager(JobManager):
    """procrastinate's job manager for workers that outlive an absence of the database.

    While it is away nothing is fetched and ends are sent again; what stays unsure (an answer that never came) is
    settled by ``jobs.give_back`` before the next fetch.
    """

    def __init__(self, connector: BaseConnector, registry: PeriodicRegistry) -> None:
        super().__init__(connector)
        self._registry = registry
        self.hands = Hands()
        self._unsure = False
        self._patience = 30.0
        self._most_attempts = 5
        self._identity = Identity("worker", socket.gethostname(), os.getpid(), None, 1)

    def enlist(self, identity: Identity, *, patience: float, most_attempts: int) -> None:
        """Say who works here, how many seconds the end of a job is sent again, and how often a job may be lost."""
        self._identity = identity
        self._patience = patience
        self._most_attempts = most_attempts

    @override
    async def batch_defer_jobs_async(
        self, jobs: list[Job], connection: Any | None = None
    ) -> list[Job]:
        """Queue jobs; those for a later instant hold up no tick."""
        return await super().batch_defer_jobs_async([*map(_beside_ticks, jobs)], connection)

    @override
    def batch_defer_jobs(self, jobs: list[Job], connection: Any | None = None) -> list[Job]:
        """Queue jobs from where there is no event loop."""
        return super().batch_defer_jobs([*map(_beside_ticks, jobs)], connection)

    @override
    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take the next job; None where there is none, or the database is away."""
        try:
            if self._unsure:
                await self._give_back(worker_id)
            rows = await self._fetch(queues, worker_id)
        except UniqueViolation:
            return None  # another worker took one with the same lock in this very moment
        except ConnectorException as error:
            self._unsure = True
            _tolerate(error, "jobs.fetch")
            return None
        if not rows:
            return None
        job = Job.from_row(rows[0])
        self.hands.holds[rows[0]["id"]] = Hold(rows[0]["run_id"])
        return job

    async def _fetch(self, queues: Iterable[str] | None, worker_id: int) -> list[dict[str, Any]]:
        """The next job. A worker forgotten while the database was away from it says first that it is there."""
        for forgotten in (False, True):
            if forgotten:
                await self._beat(worker_id)
            try:
                return await self.connector.execute_query_all_async(
                    FETCH,
                    queues=None if queues is None else list(queues),
                    worker_id=worker_id,
                    worker=runs.runner(),
                )
            except ConnectorException as error:
                if forgotten or not isinstance(error.__cause__, ForeignKeyViolation):
                    raise
        raise AssertionError("unreachable")

    @override
    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End a job and its run; sent again while the database is away, for as long as the job would stay ours."""
        hold = self.hands.holds.get(job.id or 0)
        if hold is None:
            await super().finish_job(job, status, delete_job)
            return
        if status is Status.FAILED and hold.error is None:
            hold.error = (
                f"no task is named {job.task_name}: this worker is older than who queued it"
            )
        seconds = round(time.monotonic() - hold.since, 3)
        try:
            ours = await self._finish(job, status, hold, delete=delete_job)
        except ConnectorException:
            self._unsure = True
            raise
        finally:
            del self.hands.holds[job.id or 0]
        log.log(
            logging.INFO if ours and status is not Status.FAILED else logging.WARNING,
            "job.ended" if ours else "job.ended_late",
            task=job.task_name,
            job_id=job.id,
            outcome=status.value,
            seconds=seconds,
            error=hold.error,
            numbers=hold.numbers,
        )

    async def _finish(self, job: Job, status: Status, hold: Hold, *, delete: bool) -> bool:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                row = await self.connector.execute_query_one_async(
                    FINISH,
                    job_id=job.id,
                    attempts=job.attempts,
                    status=status.value,
                    delete=delete,
                    back=hold.back,
                    run_id=hold.run_id,
                    error=hold.error,
                    numbers=None if hold.numbers is None else json.dumps(hold.numbers),
                )
                return bool(row["ours"])
            except ConnectorException as error:
                if time.monotonic() > deadline:
                    raise
                _tolerate(error, "jobs.finish")
                await asyncio.sleep(0.5)

    @override
    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """What a task with a retry strategy of its own asks for; its run has failed."""
        await super().retry_job(job, retry_at, priority, queue, lock)
        hold = self.hands.holds.pop(job.id or 0, None)
        if hold is not None:
            await self._finish(job, Status.FAILED, hold, delete=False)

    @override
    async def register_worker(self) -> int:
        """Draw the worker's identity."""
        return await self._beat(None)

    @override
    async def unregister_worker(self, worker_id: int) -> None:
        """Leave; whoever rescues notices it where the database is away."""
        try:
            await super().unregister_worker(worker_id)
        except ConnectorException as error:
            _tolerate(error, "jobs.leave")

    @override
    async def update_heartbeat(self, worker_id: int) -> None:
        """Give a sign of life."""
        try:
            await self._beat(worker_id)
        except ConnectorException as error:
            _tolerate(error, "jobs.beat")

    async def _beat(self, worker_id: int | None) -> int:
        row = await self.connector.execute_query_one_async(
            BEAT, worker_id=worker_id, **asdict(self._identity)
        )
        return int(row["worker_id"])

    @override
    async def defer_periodic_job(
        self, job: Job, periodic_id: str, defer_timestamp: int
    ) -> int | None:
        """Queue a periodic job for its tick, unless a later tick is due already: missed ticks do not pile up."""
        if self._is_overtaken(job.task_name, periodic_id, defer_timestamp):
            return None
        try:
            return await super().defer_periodic_job(job, periodic_id, defer_timestamp)
        except UniqueViolation:
            raise
        except ConnectorException as error:
            _tolerate(error, "jobs.defer")
            return None

    def _is_overtaken(self, task: str, periodic_id: str, tick: int) -> bool:
        declared = self._registry.periodic_tasks[task, periodic_id]
        # A copy: the cron iterator of the original is in the middle of its own ticks.
        copy: PeriodicTask[..., Any, ...] = PeriodicTask(
            declared.task, declared.cron, periodic_id, declared.configure_kwargs
        )
        ticks = PeriodicDeferrer(self._registry, max_delay=math.inf)
        return tick < max(ticks.get_timestamps(copy, since=None, until=time.time()))

    @override
    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Listen for new jobs and requests to abort, over as many connections as it takes."""
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ConnectorException as error:
                _tolerate(error, "jobs.listen")
                await asyncio.sleep(1)

    async def _give_back(self, worker_id: int) -> None:
        for row in await self.connector.execute_query_all_async(
            GIVE_BACK,
            worker_id=worker_id,
            in_hand=list(self.hands.holds),
            most_attempts=self._most_attempts,
        ):
            log.warning("job.given_back", **row)
        self._unsure = False


def _beside_ticks(job: Job) -> Job:
    """As ``ops.enqueue`` has it: with a queueing lock a job for later keeps every tick until then out."""
    return job if job.scheduled_at is None else job.evolve(queueing_lock=None)


def _tolerate(error: ConnectorException, doing: str) -> None:
    """Log that the database is away; raise what is wrong otherwise."""
    if not isinstance(error.__cause__, OperationalError | InterfaceError):
        raise error
    log.warning("database.away", doing=doing, error=str(error.__cause__).strip())
