"""Deletes, which Elasticsearch forgets: after an hour, or when it restarts."""

import asyncio

import pytest

from etl.search import sync as steps
from etl.search.indices import alias, ensure
from etl.search.sync import sync
from tests.search.equal import differences
from tests.search.world import World

DELETED = "select id, again from search.deleted"


async def forget(world: World) -> None:
    """Have Elasticsearch forget what it deleted, as it does after ``gc_deletes``."""
    name = alias("island", world.settings)
    await world.es.indices.put_settings(index=name, settings={"index.gc_deletes": "0s"})
    await world.es.indices.refresh(index=name)
    await world.es.indices.flush(index=name, force=True)


async def held_back(world: World) -> tuple[steps.Lease, steps.Batch]:
    """A batch that was read and is not on its way yet."""
    leased = await steps.lease(world.db, world.settings, "island", 10)
    assert leased is not None
    return leased, await steps.read(world.db, leased, await steps.draw(world.db))


async def arrives_when_forgotten(
    world: World, leased: steps.Lease, stale: steps.Batch
) -> steps.Sent:
    """Send an old request when the delete of its document 1 is forgotten.

    Elasticsearch forgets in a refresh, by a clock that stands still for a fifth of a second at a
    time; until then the request is refused and changes nothing.
    """
    async with asyncio.timeout(20):
        while True:
            await world.es.indices.refresh(index=alias("island", world.settings))
            sent = await steps.send(world.es, world.settings, leased, stale)
            if "1" not in sent.overtaken:
                return sent


async def a_lease_later(world: World) -> None:
    await world.db.execute("update search.deleted set deleted_at = now() - interval '1 day'")
    await sync(world.db, world.es, world.settings)


@pytest.mark.parametrize("dies", [True, False])
async def test_old_request_that_comes_when_the_delete_is_forgotten(
    world: World, *, dies: bool
) -> None:
    await ensure(world.db, world.es, world.settings)
    await forget(world)
    await world.island("1", "2")
    leased, stale = await held_back(world)
    await world.change("gone_at = now()", "1")
    await sync(world.db, world.es, world.settings)
    sent = await arrives_when_forgotten(world, leased, stale)
    assert set(await world.found()) == {"1", "2"}, "it was not brought back: nothing to be mended"

    if dies:
        # Nobody knows what it did; the delete is repeated when no such request can come any more.
        await world.expire()
        await a_lease_later(world)
    else:
        # It finds that another worker settled what it held, and has it sent again.
        await steps.settle(world.db, leased, sent)
        await sync(world.db, world.es, world.settings)
    assert await differences(world.db, world.es, world.settings) == {}
    assert set(await world.found()) == {"2"}


async def test_delete_is_sent_twice_and_then_forgotten_here_too(world: World) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    await world.change("gone_at = now()", "1", "2")
    assert (await sync(world.db, world.es, world.settings)).deleted == 2
    assert len(await world.db.fetch(DELETED)) == 2
    assert await sync(world.db, world.es, world.settings) == steps.Numbers()
    await world.change("gone_at = null", "2")
    await sync(world.db, world.es, world.settings)
    assert await world.db.fetch(DELETED) == [{"id": "1", "again": False}]
    await a_lease_later(world)
    assert await world.db.fetch(DELETED) == []
    assert await differences(world.db, world.es, world.settings) == {}


async def test_worker_that_was_only_slower_marks_nothing(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1", title="old")
    leased, stale = await held_back(world)
    await world.island("1", title="new")
    await sync(world.db, world.es, world.settings)
    sent = await steps.send(world.es, world.settings, leased, stale)
    await steps.settle(world.db, leased, sent)
    assert await world.pending() == 0
