"""Running coroutines from a command."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from etl.ending import on_end

Result = TypeVar("Result")


def run_async(
    work: Callable[[], Coroutine[Any, Any, Result]], *, told: Callable[[bool], None] | None = None
) -> Result:
    """Run ``work()`` to its end and give what it returns.

    Ctrl-C, SIGTERM and SIGHUP cancel it, so that its cleanup runs; the command then ends with 130,
    143 or 129. A second Ctrl-C cuts the cleanup short, unless ``told`` is given: that is called each
    time, with whether it was the first.
    """
    stopped: signal.Signals | None = None

    async def watched() -> Result:
        task = asyncio.current_task()

        def stop(number: signal.Signals) -> None:
            nonlocal stopped
            # A terminal that closes may say so twice: the cleanup is not to be cancelled, too.
            first = stopped is None
            if first and task is not None:
                stopped = number
                task.cancel()
            if told is not None:
                told(first)

        on_end(stop, signal.SIGTERM, *([signal.SIGINT] if told else []))
        return await work()

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        if stopped is not None:
            raise SystemExit(128 + stopped) from None
        raise
