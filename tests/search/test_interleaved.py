"""A whole sync, while everything else happens between its steps."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from etl.search import sync as steps
from etl.search.indices import ensure
from etl.search.sync import sync
from tests.search.world import World

Step = Callable[..., Awaitable[Any]]


@pytest.mark.parametrize("step", ["lease", "draw", "read", "send", "settle"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", ["title = 'new'", "gone_at = now()"])
async def test_change_and_another_worker_at_any_point(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, when: str, change: str
) -> None:
    """The row changes and another worker sends it, all in one gap of the first worker's sync."""
    await world.island("1", "2", title="old")
    await ensure(world.db, world.es, world.settings)
    original: Step = getattr(steps, step)

    async def interrupt() -> None:
        monkeypatch.setattr(steps, step, original)
        await world.change(change, "1")
        await sync(world.db, world.es, world.settings)

    async def interrupted(*args: object) -> object:
        if when == "before":
            await interrupt()
        result = await original(*args)
        if when == "after":
            await interrupt()
        return result

    monkeypatch.setattr(steps, step, interrupted)
    await sync(world.db, world.es, world.settings)
    await sync(world.db, world.es, world.settings)
    assert await world.pending() == 0
    assert await world.is_equal()


@pytest.mark.parametrize("step", ["draw", "read", "send", "settle"])
async def test_step_that_fails_gives_its_batch_back(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await sync(world.db, world.es, world.settings)
    await world.island("1", "2")
    original: Step = getattr(steps, step)

    async def fail(*_: object) -> None:
        monkeypatch.setattr(steps, step, original)
        raise OSError("the network is down")

    monkeypatch.setattr(steps, step, fail)
    with pytest.raises(OSError, match="the network"):
        await sync(world.db, world.es, world.settings)
    # Free at once: the next sync need not wait for the end of the lease.
    await sync(world.db, world.es, world.settings)
    assert await world.pending() == 0
    assert await world.is_equal()
