"""The demo from the servers to the page."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from cryptography.fernet import Fernet

from etl import embedded
from etl.demo.report import Report
from etl.demo.serve import answers, children, first_end, page_url
from etl.demo.steps import Pass
from etl.demo.world import World, claim_database, remember
from etl.embedded.servers import SERVERS
from etl.engine.database import open_database
from etl.engine.migrate import migrate
from etl.search.client import open_elasticsearch
from etl.settings import Settings, load
from etl.simulator.process import Running, settings_for, start
from etl.web.listen import need_port

# The real services' limits would make the demo last for hours; the simulator announces its own.
LIMITS = {"data": 200, "links": 60_000, "entries": 60_000, "creators": 60_000, "surfaces": 60_000}

RECORDED = {"ETL_FORTNITE_SURFACES": "CreativeDiscoverySurface_Frontend"}
"""Of a recorded world its front page alone is read: the other shows islands that are not in its list."""


async def once(settings: Settings, world: World, report: Report, history: int) -> dict[str, Any]:
    """One full pass over ``world`` with up to ``history`` CCU cycles; gives what it came to.

    May be killed anywhere and run again: it goes on with what is there. Embedded servers that it
    started keep running.
    """
    async with upstream(world, settings) as (simulator, options):
        with report.shown():
            seconds = await prepare(settings, world, report)
            return await _pass(simulator, options, report, history, seconds)


async def stay(
    settings: Settings,
    world: World,
    report: Report,
    history: int,
    ready: Callable[[dict[str, Any]], None],
) -> None:
    """One pass, then a worker and the page until the task is cancelled; ``ready`` is told in between.

    What it started is stopped, embedded servers too.

    Raises:
        PortTaken: the page would have nowhere to listen.
        ChildEnded: the worker or the page ended by itself.
    """
    need_port(settings.web_host, settings.web_port)
    async with servers_stopped(settings), upstream(world, settings) as (simulator, options):
        with report.shown():
            seconds = await prepare(settings, world, report)
            numbers = await _pass(simulator, options, report, history, seconds)
        async with children(("worker", "web"), options, settings.home) as running:
            if await answers(f"{page_url(settings.web_host, settings.web_port)}health", running):
                ready(numbers)
            await first_end(running, settings.home)


@asynccontextmanager
async def servers_stopped(settings: Settings) -> AsyncIterator[None]:
    """Stop at exit the embedded servers that did not run at entry."""
    found = await asyncio.to_thread(embedded.status, settings)
    ours = [name for name in SERVERS if not found[name]["running"]]
    try:
        yield
    finally:
        await _whole(lambda: embedded.down(settings, ours))


async def prepare(settings: Settings, world: World, report: Report) -> dict[str, float]:
    """Servers up, a database that holds this world or nothing, migrated. Gives seconds by step."""
    seconds = {}
    for name, step in (
        ("servers", lambda: embedded.up(settings)),
        ("migrate", lambda: _migrate(settings, world)),
    ):
        began = monotonic()
        with report.bar(name):
            await _whole(step)
        seconds[name] = round(monotonic() - began, 3)
    return seconds


@asynccontextmanager
async def upstream(
    world: World, settings: Settings
) -> AsyncIterator[tuple[Running, dict[str, str]]]:
    """The simulated upstream of ``world``, and the options that point a process at it.

    It comes first: a world that cannot be is found before the one that is there is dropped for it.

    Raises:
        SimulatorFailed: there can be no such world.
    """
    still = {"replay": world.replay, "growth": 0, "hidden": 0} if world.replay else {}
    made_up = {"islands": world.islands, "seed": world.seed}
    now = datetime.now(UTC).isoformat()
    async with start(**(still or made_up), now=now, limit=LIMITS) as simulator:
        yield (
            simulator,
            {
                **settings_for(simulator.url),
                "ETL_FORTNITE_DATA_PER_SECOND": str(LIMITS["data"]),
                "ETL_FORTNITE_LINKS_PER_MINUTE": str(LIMITS["links"]),
                "ETL_FORTNITE_ENTRIES_PER_MINUTE": str(LIMITS["entries"]),
                "ETL_FORTNITE_CREATORS_PER_MINUTE": str(LIMITS["creators"]),
                "ETL_FORTNITE_REGIONS": "NAE,EU",
                "ETL_FORTNITE_SURFACES_PER_MINUTE": str(LIMITS["surfaces"]),
                "ETL_TOKEN_KEY": _token_key(settings.home),
                "ETL_WORKER_GRACE": "10",  # less than its parent waits for it
                **(RECORDED if world.replay else {}),
            },
        )


async def _pass(
    simulator: Running,
    options: dict[str, str],
    report: Report,
    history: int,
    seconds: dict[str, float],
) -> dict[str, Any]:
    os.environ.update(options)
    settings = load()
    async with (
        open_database(embedded.database_url(settings), name="demo") as db,
        open_elasticsearch(settings) as elasticsearch,
    ):
        steps = Pass(db, elasticsearch, simulator, settings, report, seconds)
        return await steps.run(history)


async def _whole(step: Callable[[], object]) -> None:
    """Do ``step`` in a thread, to its end even when cancelled: what is to be undone has then been done."""
    doing = asyncio.create_task(asyncio.to_thread(step))
    try:
        await asyncio.shield(doing)
    finally:
        await asyncio.wait([doing])


def _migrate(settings: Settings, world: World) -> None:
    url = embedded.database_url(settings)
    claim_database(url, world)
    migrate(url, settings)
    remember(url, world)


def _token_key(home: Path) -> str:
    """A key of the demo's own, kept so that a later run can read the stored token."""
    path = home / "demo-token-key"
    if not path.exists():
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(Fernet.generate_key())
    return path.read_text()
