"""Running coroutines from a command."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_async(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run ``work()`` to its end and give what it returns.

    Ctrl-C and SIGTERM cancel it, so that its cleanup runs; the command then ends with 130 or 143.
    """
    stopped = False

    async def watched() -> Result:
        task = asyncio.current_task()

        def stop() -> None:
            nonlocal stopped
            stopped = True
            if task is not None:
                task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        return await work()

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        if stopped:
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
