"""What a sync leaves behind, however its steps and the changes of others interleave."""

import asyncio

import pytest

from etl.engine.database import Database
from etl.search import sync
from etl.search.indices import ensure
from etl.search.sync import Batch, Lease, Numbers, Sent
from tests.search.world import World


async def run(world: World, limit: int | None = None) -> Numbers:
    return await sync.sync(world.db, world.es, world.settings, limit=limit)


async def leased(world: World, n: int = 1000) -> Lease:
    found = await sync.lease(world.db, world.settings, "island", n)
    assert found is not None
    return found


async def sent(world: World, lease: Lease, documents: Batch) -> None:
    await sync.settle(world.db, lease, await sync.send(world.es, world.settings, lease, documents))


async def test_marked_rows_are_documents_afterwards(world: World) -> None:
    await world.island("1111-1111-1111", "2222-2222-2222", title="Zone Wars")
    assert await run(world) == Numbers(sent=2)
    assert await world.is_equal()
    assert set(await world.found()) == {"1111-1111-1111", "2222-2222-2222"}
    assert await world.pending() == 0


async def test_nothing_marked_is_nothing_sent(world: World) -> None:
    await run(world)
    assert await run(world) == Numbers()


async def test_row_that_left_the_view_is_deleted_and_comes_back_as_it_is_then(world: World) -> None:
    await world.island("1", "2")
    await run(world)
    await world.change("gone_at = now()", "1")
    assert await run(world) == Numbers(deleted=1)
    assert set(await world.found()) == {"2"}
    await world.change("gone_at = null, title = 'Back'", "1")
    assert await run(world) == Numbers(sent=1)
    assert (await world.found())["1"]["title"] == "Back"


@pytest.mark.parametrize("column", ["disabled = true", "discovery_intent = 'PRIVATE'"])
async def test_islands_that_players_cannot_find_leave_the_index(world: World, column: str) -> None:
    await world.island("1", "2")
    await run(world)
    await world.change(column, "1")
    await run(world)
    assert set(await world.found()) == {"2"}


async def test_limit_bounds_a_run_and_the_rest_waits(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island(*(f"{n}" for n in range(10)))
    assert (await run(world, limit=4)).sent == 4
    assert await world.pending() == 6


async def test_longest_waiting_go_first_even_when_marked_again(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("late")
    await world.island("early")
    await world.db.execute(
        "update search.dirty set marked_at = now() - interval '1 hour' where ids = '{early}'"
    )
    await world.island("early")
    assert (await leased(world, 1)).ids == ["early"]


async def test_leased_document_is_not_leased_again_before_its_time(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1")
    await leased(world)
    assert await sync.lease(world.db, world.settings, "island", 10) is None
    await world.expire()
    assert (await leased(world)).ids == ["1"]


@pytest.mark.parametrize("before", ["draw", "read", "send", "settle"])
async def test_change_between_any_two_steps_is_not_lost(world: World, before: str) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1", title="old")

    async def change(step: str) -> None:
        if step == before:
            await world.island("1", title="new")

    lease = await leased(world)
    await change("draw")
    version = await sync.draw(world.db)
    await change("read")
    documents = await sync.read(world.db, lease, version)
    await change("send")
    outcome = await sync.send(world.es, world.settings, lease, documents)
    await change("settle")
    await sync.settle(world.db, lease, outcome)

    assert await world.pending() == 1
    await run(world)
    assert await world.is_equal()
    assert (await world.found())["1"]["title"] == "new"


async def test_change_committed_after_the_read_of_an_open_transaction_is_not_lost(
    database_url: str, world: World, db: Database
) -> None:
    await ensure(db, world.es, world.settings)
    await world.island("1", title="old")
    async with db.connection() as conn, conn.transaction():
        await conn.execute("update fortnite.island set title = 'new'")
        lease = await leased(world)
        documents = await sync.read(db, lease, await sync.draw(db))
        await conn.execute("select search.mark('island', array['1'])")
        await sent(world, lease, documents)
    await run(world)
    assert (await world.found())["1"]["title"] == "new"


async def test_slow_worker_never_overwrites_the_faster_later_one(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1", title="old")
    slow = await leased(world)
    stale = await sync.read(world.db, slow, await sync.draw(world.db))
    await world.island("1", title="new")
    await run(world)
    await sent(world, slow, stale)
    assert (await world.found())["1"]["title"] == "new"
    assert await world.pending() == 0


async def test_slow_worker_does_not_bring_back_what_was_deleted(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1")
    slow = await leased(world)
    stale = await sync.read(world.db, slow, await sync.draw(world.db))
    await world.change("gone_at = now()", "1")
    await run(world)
    await sent(world, slow, stale)
    assert await world.found() == {}


async def test_deletes_are_remembered_for_an_hour(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    found = await world.es.indices.get_settings(index=f"{world.settings.search_prefix}island")
    assert [about["settings"]["index"]["gc_deletes"] for about in found.values()] == ["1h"]
    assert world.settings.search_lease < 3600


async def test_mark_is_deleted_only_as_it_was_leased(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1", "2")
    lease = await leased(world)
    await world.island("2", title="again")
    await sync.settle(world.db, lease, Sent())
    (left,) = await world.db.fetch("select id from search.pending")
    assert left["id"] == "2"


async def test_syncs_at_once_under_writes_end_equal(world: World) -> None:
    ids = [f"{n:03d}" for n in range(120)]
    await world.island(*ids)
    small = world.settings.model_copy(update={"search_batch": 17})
    stop = asyncio.Event()

    async def write(name: str) -> None:
        for turn in range(12):
            await world.island(*ids[turn * 7 : turn * 7 + 40], title=f"{name} {turn}")
            await world.change("gone_at = now()", *ids[turn * 9 : turn * 9 + 5])
            await world.change("gone_at = null", *ids[turn * 8 : turn * 8 + 5])

    async def work() -> None:
        while not stop.is_set():
            await sync.sync(world.db, world.es, small)

    workers = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.gather(*(write(name) for name in "ab"))
    stop.set()
    await asyncio.gather(*workers)
    await world.expire()
    await run(world)
    assert await world.is_equal()
    assert len(await world.found()) > 80


async def test_progress_is_told_after_each_batch(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island(*(f"{n}" for n in range(10)))
    small = world.settings.model_copy(update={"search_batch": 3})
    told: list[int] = []
    await sync.sync(world.db, world.es, small, progress=lambda numbers: told.append(numbers.sent))
    assert told[-1] == 10
    assert len(told) == 4
