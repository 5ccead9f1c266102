"""A database or an Elasticsearch that comes from a backup is noticed, for certain."""

from typing import Any

import pytest
from elasticsearch import AsyncElasticsearch
from psycopg import sql

from etl.search import epoch, indices, rebuild
from etl.search import sync as steps
from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.indices import alias, ensure
from etl.search.sync import sync
from etl.settings import Settings
from tests.search.equal import differences
from tests.search.proxy import line
from tests.search.world import World

SAVED = ("search.dirty", "search.target", "search.epoch", "search.rejected", "search.deleted",
         "fortnite.island")  # fmt: skip


async def back_up(world: World) -> None:
    """Keep the database as it is now. A dump takes sequences later than rows: they go on."""
    async with world.db.connection() as conn:
        await conn.execute("create schema saved")
        for name in SAVED:
            kept = sql.Identifier("saved", name.replace(".", "_"))
            await conn.execute(
                sql.SQL("create table {} as table {}").format(
                    kept, sql.Identifier(*name.split("."))
                )
            )


async def restore(world: World) -> None:
    async with world.db.connection() as conn, conn.transaction():
        for name in SAVED:
            place, kept = sql.Identifier(*name.split(".")), name.replace(".", "_")
            found = await conn.execute(
                "select attname from pg_attribute"
                " where attrelid = %s::regclass and attnum > 0 and attgenerated = '' and not attisdropped",
                [name],
            )
            columns = sql.SQL(", ").join(
                sql.Identifier(row["attname"]) for row in await found.fetchall()
            )
            await conn.execute(sql.SQL("delete from {}").format(place))
            await conn.execute(
                sql.SQL("insert into {} ({}) overriding system value select {} from {}").format(
                    place, columns, columns, sql.Identifier("saved", kept)
                )
            )


async def synced(world: World) -> steps.Numbers:
    done = await sync(world.db, world.es, world.settings)
    assert await differences(world.db, world.es, world.settings) == {}
    return done


async def test_restored_database_is_noticed_though_nothing_is_marked(world: World) -> None:
    await world.island("1", "2", title="as backed up")
    await synced(world)
    await back_up(world)
    await world.island("2", "3", title="later")
    await world.change("gone_at = now()", "1")
    await synced(world)
    await restore(world)
    assert await world.pending() == 0
    assert (await synced(world)).restored
    assert set(await world.found()) == {"1", "2"}
    assert not (await synced(world)).restored


async def unknown(world: World) -> tuple[str, str]:
    """Restore a database whose index was replaced after the backup, and dropped since: both indices."""
    await world.island("1", "2", title="as backed up")
    await synced(world)
    (old,) = await world.searched()
    await back_up(world)
    await world.island("2", "3", title="later")
    built = await rebuild.demand(world.db, world.es, world.settings, "island")
    await rebuild.until_live(world.db, world.es, world.settings, "island", built)
    await world.es.indices.delete(index=old)
    await restore(world)
    return old, built


async def test_readers_stay_on_an_index_that_a_restored_database_does_not_know(
    world: World,
) -> None:
    old, built = await unknown(world)
    # Whichever job is first: not each begins with a look at the epoch.
    await ensure(world.db, world.es, world.settings)
    assert await world.searched() == {built}
    assert set(await world.found()) == {"1", "2", "3"}
    assert (await synced(world)).restored
    assert await world.searched() not in ({built}, {old})
    assert {row["title"] for row in (await world.found()).values()} == {"as backed up"}
    assert set(await world.found()) == {"1", "2"}


async def test_two_workers_that_find_the_index_lost_keep_readers_on_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, built = await unknown(world)
    adopt = indices._adopt

    async def late(*args: Any) -> None:
        """Another worker was quicker."""
        monkeypatch.setattr(indices, "_adopt", adopt)
        await ensure(world.db, world.es, world.settings)
        await adopt(*args)

    monkeypatch.setattr(indices, "_adopt", late)
    await ensure(world.db, world.es, world.settings)
    assert await world.searched() == {built}
    assert not await world.es.indices.exists(index=old)


async def test_index_of_others_is_not_taken_for_one_that_was_lost(world: World) -> None:
    await world.island("1")
    await synced(world)
    (old,) = await world.searched()
    name = alias("island", world.settings)
    await world.es.indices.delete(index=old)
    await world.es.indices.create(index=f"{name}-theirs", aliases={name: {}})
    await synced(world)
    assert await world.searched() == {old}


@pytest.mark.parametrize("drawn", ["before", "after"])
async def test_backup_in_the_middle_of_a_batch(world: World, drawn: str) -> None:
    """What was read after it under a version drawn before it has a mark in it."""
    await synced(world)
    await world.island("1", title="as backed up")
    leased = await steps.lease(world.db, world.settings, "island", 10)
    assert leased is not None
    if drawn == "after":
        await back_up(world)
    version = await steps.draw(world.db)
    if drawn == "before":
        await back_up(world)
    await world.island("1", title="later")
    await epoch.note(world.es, world.settings, version)
    batch = await steps.read(world.db, leased, version)
    await steps.settle(world.db, leased, await steps.send(world.es, world.settings, leased, batch))
    await restore(world)
    await world.expire()
    done = await synced(world)
    assert done.restored == (drawn == "after")
    assert (await world.found())["1"]["title"] == "as backed up"


async def test_elasticsearch_that_lost_what_it_acknowledged_is_built_again(world: World) -> None:
    await world.island("1", "2", title="old")
    await synced(world)
    note = await world.es.get(index=epoch.index_of_notes(world.settings), id=epoch.ID)
    await world.island("1", title="new")
    await synced(world)

    # As a snapshot of before would leave it.
    name = alias("island", world.settings)
    await world.es.index(index=name, id="1", document={"title": "old"}, refresh=True)
    await world.es.indices.delete(index=epoch.index_of_notes(world.settings))
    assert await epoch.check(world.db, world.es, world.settings)
    await world.es.index(
        index=epoch.index_of_notes(world.settings), id=epoch.ID, document={},
        version=note["_version"], version_type="external",
    )  # fmt: skip
    await synced(world)
    assert not (await synced(world)).restored


async def test_run_that_broke_off_has_acknowledged_what_it_settled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.island("1", "2", title="old")
    await synced(world)
    notes = epoch.index_of_notes(world.settings)
    before = (await world.es.get(index=notes, id=epoch.ID))["_version"]
    documents = await world.found()
    await world.island("1", "2", title="new")
    told: list[int] = []

    async def note(es: AsyncElasticsearch, settings: Settings, version: int) -> None:
        told.append(version)
        if len(told) > 1:
            raise SearchUnavailable("away")
        await epoch.note(es, settings, version)

    one = world.settings.model_copy(update={"search_batch": 1, "search_connections": 1})
    with monkeypatch.context() as broken:
        broken.setattr(steps, "note", note)
        with pytest.raises(SearchUnavailable, match="away"):
            await sync(world.db, world.es, one)
    assert await world.pending() == 1

    # As a snapshot of before that run would leave it.
    await world.es.indices.delete(index=notes)
    await world.es.indices.create(index=notes, settings=epoch.SETTINGS)
    await world.es.index(
        index=notes, id=epoch.ID, document={}, version=before, version_type="external"
    )
    for key, body in documents.items():
        await world.es.index(index=alias("island", world.settings), id=key, document=body)
    assert (await synced(world)).restored
    assert not (await synced(world)).restored


async def test_elasticsearch_that_was_emptied_is_filled_once(world: World) -> None:
    await world.island("1", "2")
    await synced(world)
    await world.island("1")
    await synced(world)
    found = await world.es.indices.get(
        index=f"{world.settings.search_prefix}*", expand_wildcards="all"
    )
    await world.es.indices.delete(index=",".join(found))
    await synced(world)
    assert set(await world.found()) == {"1", "2"}
    made = await world.db.fetch("select state from search.target")
    assert [row["state"] for row in made] == ["live", "live", "live"]


async def test_many_workers_begin_one_epoch(world: World) -> None:
    await world.island("1")
    await synced(world)
    before = await epoch.current(world.db)
    await epoch.note(world.es, world.settings, 10**17)
    assert await epoch.check(world.db, world.es, world.settings)
    assert not await epoch.begin(world.db, before, 10**17)
    assert await epoch.current(world.db) == before + 1
    assert await steps.draw(world.db) > 10**17


async def test_nothing_is_sent_under_a_version_that_cannot_be_noted(world: World) -> None:
    await synced(world)
    await world.island("1")
    name = epoch.index_of_notes(world.settings)
    await world.es.indices.put_settings(
        index=name, settings={"index.blocks.read_only_allow_delete": True}
    )
    async with line(world.settings) as it, open_elasticsearch(it.settings) as es:
        with pytest.raises(SearchUnavailable, match="noting version"):
            await sync(world.db, es, it.settings)
        assert it.bulks == []
    await world.es.indices.put_settings(
        index=name, settings={"index.blocks.read_only_allow_delete": None}
    )
    assert (await synced(world)).sent == 1


async def test_notes_that_another_worker_is_only_making_are_waited_for(world: World) -> None:
    """Its shard starts after the index is there: until then Elasticsearch answers 503."""
    await sync(world.db, world.es, world.settings)
    await world.island("a")
    async with line(world.settings) as wire, open_elasticsearch(wire.settings) as es:
        wire.early = [503, 503]  # the client asks a second time by itself
        await sync(world.db, es, wire.settings)
        assert wire.early == []
    assert await world.is_equal()
