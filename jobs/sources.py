"""Tasks that stand down where the options leave their source out."""

from collections.abc import Callable
from functools import wraps

import structlog

from etl.fortnite.sources import why_off
from etl.settings import FortniteSource
from jobs.application import Work
from jobs.tools import Tools

log = structlog.get_logger(__name__)


def reads(source: FortniteSource) -> Callable[[Work], Work]:
    """Run the task only while its source is on; else its numbers, and the log, say why not."""

    def declare(work: Work) -> Work:
        @wraps(work)
        async def run(tools: Tools) -> object:
            why = why_off(tools.settings, source)
            if why is None:
                return await work(tools)
            log.info("source is off", source=source, reason=why)
            return {"off": why}

        return run

    return declare
