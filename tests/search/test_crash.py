"""A sync that dies anywhere loses nothing: the next one ends equal."""

import asyncio
import signal

import pytest

from etl.search import sync as steps
from etl.search.sync import sync
from etl.settings import Settings
from tests.commands import ETL, environment, variables
from tests.search.world import World

IDS = [f"{number:05d}" for number in range(3000)]


@pytest.mark.parametrize("last", ["lease", "draw", "read", "send"])
@pytest.mark.parametrize("meanwhile", ["title = 'new'", "gone_at = now()", None])
async def test_worker_that_died_after(world: World, last: str, meanwhile: str | None) -> None:
    await world.island("1", "2", title="old")
    await sync(world.db, world.es, world.settings)
    await world.island("1", "2", title="changed")

    leased = await steps.lease(world.db, world.settings, "island", 10)
    assert leased is not None
    if last in {"draw", "read", "send"}:
        version = await steps.draw(world.db)
    if last in {"read", "send"}:
        documents = await steps.read(world.db, leased, version)
    if last == "send":
        await steps.send(world.es, world.settings, leased, documents)
    if meanwhile is not None:
        await world.change(meanwhile, "1")

    await world.expire()
    await sync(world.db, world.es, world.settings)
    assert await world.is_equal()
    assert await world.pending() == 0


async def test_killed_at_any_moment_and_run_again(world: World) -> None:
    quick = world.settings.model_copy(
        update={"search_batch": 20, "search_lease": 20.0, "search_connections": 2}
    )
    await sync(world.db, world.es, quick)
    await world.island(*IDS, title="Zone Wars")
    for kill_at in (2900, 2000, 900):
        await killed_when_so_many_wait(world, quick, kill_at)
        await world.change("title = 'Later'", *IDS[kill_at - 50 : kill_at + 50])
        await world.change("gone_at = now()", *IDS[kill_at : kill_at + 20])
    assert await world.pending() > 0
    await world.expire()
    await sync(world.db, world.es, world.settings)
    assert await world.is_equal()
    assert len(await world.found()) == len(IDS) - 60


async def killed_when_so_many_wait(world: World, options: Settings, waiting: int) -> None:
    """Run a sync in a process of its own and kill it once so few marks are left."""
    process = await asyncio.create_subprocess_exec(
        ETL, "search", "sync",
        env=environment(variables(options)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    while await world.pending() > waiting:
        assert process.returncode is None, "it ended before it was killed"
        await asyncio.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
