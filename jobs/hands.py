"""The jobs a worker has in hand: watched while they run, for what the end of their run will say."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import AbortReason, JobContext
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker
from psycopg import OperationalError

from etl.engine import runs
from etl.engine.errors import Refused, Transient
from etl.errors import PlainError

log = structlog.get_logger(__name__)

# Their sentence says it all; anything else keeps its traceback in the log.
EXPECTED = (PlainError, Transient, Refused, OperationalError)


@dataclass
class Hold:
    """A job in hand: its run, and what its end will say; ``back``: that it goes back into its queue."""

    run_id: int
    since: float = field(default_factory=time.monotonic)
    task: asyncio.Task[Any] | None = None
    error: str | None = None
    numbers: object = None
    back: bool = False


class Hands:
    """All jobs in hand, by id."""

    def __init__(self) -> None:
        self.holds: dict[int, Hold] = {}
        self._aborting = False

    def abort(self) -> None:
        """Cancel every job; they go back into their queues."""
        self._aborting = True
        for hold in list(self.holds.values()):
            if hold.task is not None:
                hold.task.cancel()

    async def watch(self, call_next: AsyncCallNext, context: JobContext, _: Worker) -> object:
        """Worker middleware: keeps what the task returned or raised for the end of its run."""
        hold = self.holds.get(context.job.id or 0) or Hold(0)
        hold.task = asyncio.current_task()
        try:
            result: object = await call_next()
        except (asyncio.CancelledError, JobAborted):
            self._aborted(hold, context.abort_reason())
            raise
        except BaseException as error:
            hold.error = runs.sentence(error)
            if not isinstance(error, EXPECTED):
                log.exception("job.raised", task=context.job.task_name, job_id=context.job.id)
            raise
        hold.numbers = runs.numbers(result)
        return result

    def _aborted(self, hold: Hold, reason: AbortReason | None) -> None:
        hold.back = self._aborting or reason is AbortReason.SHUTDOWN
        if reason is AbortReason.USER_REQUEST:
            hold.error = "aborted on request"
        else:
            hold.error = "its worker ended before it did" if hold.back else "cancelled itself"
