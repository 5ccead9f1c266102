"""The worker and the page of the demo: started together, ended together."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from etl.errors import PlainError

Child = asyncio.subprocess.Process
GRACE = 20.0


class ChildEnded(PlainError):
    """The worker or the page ended by itself."""


@asynccontextmanager
async def children(
    names: tuple[str, ...], options: Mapping[str, str], home: Path
) -> AsyncIterator[dict[str, Child]]:
    """Run ``etl`` commands with ``options`` in their environment; all end at exit.

    What each says goes to ``demo-NAME.log`` in ``home``, made afresh.

    Each has a session of its own, so that a Ctrl-C reaches this process alone and the order of
    the end is ours. One that does not end within 20 seconds of SIGTERM is killed. When this process
    is killed they end by themselves, with their standard input.
    """
    running: dict[str, Child] = {}
    try:
        for name in names:
            with (home / f"demo-{name}.log").open("wb") as log:
                running[name] = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "etl.cli.attached", name),
                    env={**os.environ, **options},
                    stdin=asyncio.subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        yield running
    finally:
        await asyncio.shield(asyncio.gather(*(_end(child) for child in running.values())))


def page_url(host: str, port: int) -> str:
    """Where the page is."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


async def answers(url: str, running: Mapping[str, Child]) -> bool:
    """Wait until something answers at ``url``; False when one of the children ended before."""
    async with httpx.AsyncClient(trust_env=False) as client:
        while all(child.returncode is None for child in running.values()):
            with suppress(httpx.TransportError):
                await client.get(url)
                return True
            await asyncio.sleep(0.1)
    return False


async def first_end(running: Mapping[str, Child], home: Path) -> None:
    """Wait until one of the children ends by itself.

    Raises:
        ChildEnded: it did.
    """
    waits = {asyncio.create_task(child.wait()): name for name, child in running.items()}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    (first, *_) = done
    name = waits[first]
    log = home / f"demo-{name}.log"
    raise ChildEnded(f"`etl {name}` ended with code {first.result()}: see {log}")


async def _end(child: Child) -> None:
    if child.returncode is not None:
        return
    child.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(child.wait(), GRACE)
    except TimeoutError:
        child.kill()
        await child.wait()
