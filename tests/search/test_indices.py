"""Indices that are missing, lost, outdated or not what the database remembers."""

import asyncio

from elasticsearch import AsyncElasticsearch
from psycopg import sql

from etl.search import sync as steps
from etl.search.fill import fill
from etl.search.indices import alias, definition, ensure, write_alias
from etl.search.sync import sync
from tests.search.world import World

TARGETS = "select physical, state from search.target where index = 'island' order by created_at"


async def all_physical(world: World) -> set[str]:
    return set(await world.es.indices.get_alias(index=f"{world.settings.search_prefix}island-*"))


async def alter_view(world: World) -> None:
    """Another view of the same rows, as an upgrade brings it."""
    row = await world.db.fetch_one(
        "select pg_get_viewdef('search.island_document'::regclass) as body"
    )
    text = str(row["body"]).replace("i.gone_at IS NULL", "i.gone_at IS NULL AND i.code <> 'no'")
    async with world.db.connection() as conn:
        await conn.execute(
            sql.SQL("create or replace view search.island_document as ") + sql.SQL(text)
        )


async def test_first_index_is_live_at_once_and_full_after_a_sync(world: World) -> None:
    await world.island("1")
    await world.db.execute("delete from search.dirty")
    await ensure(world.db, world.es, world.settings)
    (live,) = await world.searched()
    assert live.startswith(f"{world.settings.search_prefix}island-")
    await sync(world.db, world.es, world.settings)
    assert await world.is_equal()


async def test_ensuring_again_changes_nothing(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    before = await all_physical(world)
    await ensure(world.db, world.es, world.settings)
    assert await all_physical(world) == before
    assert await world.pending() == 0


async def test_many_at_once_make_one_index(world: World) -> None:
    await asyncio.gather(*(ensure(world.db, world.es, world.settings) for _ in range(5)))
    assert len(await all_physical(world)) == 1


async def test_lost_index_is_made_again_and_fills_itself(world: World) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    for name in await all_physical(world):
        await world.es.indices.delete(index=name)
    await sync(world.db, world.es, world.settings)
    assert await world.is_equal()


async def test_index_lost_during_a_sync_is_not_made_up_by_the_bulk(
    world: World, elasticsearch: AsyncElasticsearch
) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1")
    leased = await steps.lease(world.db, world.settings, "island", 10)
    assert leased is not None
    documents = await steps.read(world.db, leased, await steps.draw(world.db))
    (name,) = await all_physical(world)
    # A server that makes up indices is the default of Elasticsearch.
    await allow_making_up(elasticsearch, allowed=True)
    try:
        await world.es.indices.delete(index=name)
        outcome = await steps.send(world.es, world.settings, leased, documents)
    finally:
        await allow_making_up(elasticsearch, allowed=False)
    assert outcome.lost
    assert await all_physical(world) == set()
    await steps.settle(world.db, leased, outcome)
    await sync(world.db, world.es, world.settings)
    assert await world.is_equal()


async def allow_making_up(es: AsyncElasticsearch, *, allowed: bool) -> None:
    await es.cluster.put_settings(persistent={"action.auto_create_index": allowed or None})


async def test_changed_view_is_built_beside_and_takes_over_when_it_is_full(world: World) -> None:
    await world.island("1", "no")
    await sync(world.db, world.es, world.settings)
    before = await world.searched()
    await alter_view(world)
    await ensure(world.db, world.es, world.settings)
    assert await world.searched() == before
    assert len(await all_physical(world)) == 2
    assert set(await world.found()) == {"1", "no"}
    await sync(world.db, world.es, world.settings)
    assert await world.searched() != before
    assert set(await world.found()) == {"1"}
    assert await world.is_equal()


async def test_changes_while_another_index_is_built_reach_both(world: World) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    await alter_view(world)
    await ensure(world.db, world.es, world.settings)
    await world.island("1", title="new")
    leased = await steps.lease(world.db, world.settings, "island", 10)
    assert leased is not None
    assert len(leased.targets) == 2
    documents = await steps.read(world.db, leased, await steps.draw(world.db))
    await steps.send(world.es, world.settings, leased, documents)
    for target in leased.targets:
        answer = await world.es.get(index=target, id="1")
        assert answer["_source"]["title"] == "new"


async def test_index_replaced_is_kept_for_a_while_and_dropped(world: World) -> None:
    await sync(world.db, world.es, world.settings)
    (old,) = await world.searched()
    await alter_view(world)
    await sync(world.db, world.es, world.settings)
    await sync(world.db, world.es, world.settings)
    short = world.settings.model_copy(update={"search_keep_hours": 0.5})
    for minutes, there in ((10, True), (25, False)):
        await world.db.execute(
            "update search.target set retired_at = retired_at - make_interval(mins => %s)",
            (minutes,),
        )
        await sync(world.db, world.es, short)
        assert (old in await all_physical(world)) is there
    assert await all_physical(world) == await world.searched()
    assert len(await world.db.fetch(TARGETS)) == 1


async def test_index_that_lacks_documents_does_not_take_over(world: World) -> None:
    await world.island("1", "2", "3")
    await sync(world.db, world.es, world.settings)
    (before,) = await world.searched()
    await alter_view(world)
    await ensure(world.db, world.es, world.settings)
    await fill(world.db, world.es, world.settings, "island")
    (built,) = await all_physical(world) - {before}
    await world.es.delete(index=built, id="1", refresh=True)
    await world.es.index(index=built, id="2", document={"title": "a lie"}, refresh=True)
    await sync(world.db, world.es, world.settings)
    assert await world.searched() == {before}
    await sync(world.db, world.es, world.settings)
    assert await world.searched() == {built}
    assert await world.is_equal()


async def test_index_does_not_take_over_while_another_worker_still_holds_documents(
    world: World,
) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    before = await world.searched()
    await alter_view(world)
    await ensure(world.db, world.es, world.settings)
    await world.island("1", "2")
    held = await steps.lease(world.db, world.settings, "island", 1)
    assert held is not None
    await sync(world.db, world.es, world.settings)
    assert await world.searched() == before
    await world.expire()
    await sync(world.db, world.es, world.settings)
    assert await world.searched() != before
    assert await world.is_equal()


async def test_alias_that_went_astray_follows_the_database(world: World) -> None:
    await world.island("1")
    await sync(world.db, world.es, world.settings)
    (live,) = await world.searched()
    other = f"{world.settings.search_prefix}island-other"
    await world.es.indices.create(index=other)
    name = alias("island", world.settings)
    await world.es.indices.delete_alias(index=live, name=name)
    await world.es.indices.put_alias(index=other, name=name)
    await sync(world.db, world.es, world.settings)
    assert await world.searched() == {live}


async def test_index_that_comes_back_with_the_alias_is_not_searched_beside_the_live_one(
    world: World,
) -> None:
    """As one does that was dropped and is restored from a snapshot: its aliases come with it."""
    await world.island("1")
    await sync(world.db, world.es, world.settings)
    (live,) = await world.searched()
    name = alias("island", world.settings)
    old = f"{name}-01234567-20260101000000000000"
    await world.es.indices.create(index=old, aliases={name: {}}, **definition("island"))
    await world.es.index(index=old, id="1", document={"code": "1", "title": "old"}, refresh=True)
    await sync(world.db, world.es, world.settings)
    assert await world.searched() == {live}
    assert await world.is_equal()


async def test_written_under_an_alias_of_its_own(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    (live,) = await world.searched()
    assert set(await world.es.indices.get_alias(name=write_alias(live))) == {live}


async def test_restored_database_builds_its_index_again(world: World) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    (old,) = await world.searched()
    # What was written after the backup: a document the database does not know, and higher versions.
    await world.es.index(
        index=old, id="later", document={"code": "later"}, version=900, version_type="external"
    )
    await world.es.index(
        index=old, id="1", document={"code": "1"}, version=901, version_type="external"
    )
    await world.db.fetch("select setval('search.version', 3)")
    await world.island("1", title="as restored")

    done = await sync(world.db, world.es, world.settings)

    assert done.restored
    assert await world.searched() != {old}
    assert await world.is_equal()
    assert set(await world.found()) == {"1", "2"}
    row = await world.db.fetch_one("""
        select v.last_value > extract(epoch from now()) * 1e6 - 1e9 as lifted from search.version as v
    """)
    assert row["lifted"]
    assert not (await sync(world.db, world.es, world.settings)).restored


async def test_version_drawn_by_another_worker_is_no_restored_database(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1")
    slow = await steps.lease(world.db, world.settings, "island", 10)
    assert slow is not None
    stale = await steps.read(world.db, slow, await steps.draw(world.db))
    await world.island("1", title="new")
    await sync(world.db, world.es, world.settings)
    outcome = await steps.send(world.es, world.settings, slow, stale)
    assert outcome.overtaken == {"1"}
    drawn = await world.db.fetch_one("select last_value as it from search.version")
    assert stale.version < outcome.highest <= drawn["it"]
