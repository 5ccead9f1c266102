"""Marks of what a fill carries anyway: dropped before its first slice, where nobody else wants them."""

from etl.search import rebuild
from etl.search.indices import ensure
from etl.search.sync import sync
from tests.search.world import World

CUT = "select ids from search.cut('island', %s, 10, interval '1 minute')"
LIVE = "select physical from search.target where index = 'island' and state = 'live'"


async def test_what_the_slices_of_an_index_alone_will_carry_is_pending_no_more(
    world: World,
) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1", "2", "gone")
    await world.change("gone_at = now()", "gone")
    live = (await world.db.fetch_one(LIVE))["physical"]
    assert (await world.db.fetch_one(CUT, (live,)))["ids"] == ["1", "2"]
    assert [row["id"] for row in await world.db.fetch("select id from search.pending")] == ["gone"]


async def test_beside_a_live_index_what_is_marked_stays_marked(world: World) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    built = await rebuild.demand(world.db, world.es, world.settings, "island")
    await world.island("1", title="new")
    assert (await world.db.fetch_one(CUT, (built,)))["ids"] == ["1", "2"]
    assert await world.pending() == 1


async def test_what_was_refused_or_deleted_stays_marked_when_it_comes_again(world: World) -> None:
    """Only a mark that is settled ends a refusal, and the memory of a delete."""
    await ensure(world.db, world.es, world.settings)
    await world.island("refused", "deleted", "other")
    await world.db.execute(
        "insert into search.rejected (index, id, reason) values ('island', 'refused', 'bad')"
    )
    await world.db.execute("insert into search.deleted (index, id) values ('island', 'deleted')")
    live = (await world.db.fetch_one(LIVE))["physical"]
    assert len((await world.db.fetch_one(CUT, (live,)))["ids"]) == 3
    left = await world.db.fetch("select id from search.pending order by id")
    assert [row["id"] for row in left] == ["deleted", "refused"]
