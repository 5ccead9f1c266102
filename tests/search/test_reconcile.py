"""What Elasticsearch has otherwise than the database: found, of each kind, and put right."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from etl.search import compare, rebuild
from etl.search import sync as steps
from etl.search.indices import alias, definition
from etl.search.reconcile import Report, reconcile
from etl.search.sync import sync
from tests.commands import run_etl, variables
from tests.search.world import World

IDS = [f"{number:04d}" for number in range(60)]


async def live(world: World) -> str:
    (name,) = await world.es.indices.get_alias(name=alias("island", world.settings))
    return str(name)


async def compared(world: World, *, repair: bool = False, thorough: bool = False) -> Report:
    return await reconcile(
        world.db, world.es, world.settings, "island", repair=repair, thorough=thorough
    )


def kinds(report: Report) -> tuple[int, int, int]:
    return report.missing, report.extra, report.different


@pytest.fixture
async def full(world: World) -> World:
    """Islands that are all in the index, and nothing pending."""
    await world.island(*IDS)
    await sync(world.db, world.es, world.settings)
    return world


async def test_nothing_drifted_is_nothing_found(full: World) -> None:
    found = await compared(full, repair=True, thorough=True)
    assert found == Report(documents=len(IDS), repaired=True)
    assert await full.pending() == 0


async def test_each_kind_of_drift_is_found_and_put_right(
    full: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "GROUP", 3)
    monkeypatch.setattr(compare, "PAGE", 2)
    monkeypatch.setattr(compare, "ROWS", 7)
    index = await live(full)
    # By the hand of somebody who does not know our versions: each counts them up by one.
    await full.es.delete(index=index, id=IDS[0])
    await full.es.index(index=index, id="stranger", document={"code": "stranger"})
    await full.es.index(index=index, id=IDS[1], document={"code": IDS[1], "title": "a lie"})
    # A mark that was lost.
    await full.db.execute("update fortnite.island set title = 'new' where code = %s", (IDS[2],))
    await full.db.execute("update fortnite.island set gone_at = now() where code = %s", (IDS[3],))
    # Known to be behind: pending, in the hands of a sync, refused.
    await full.change("title = 'pending'", IDS[4])
    await full.change("title = 'held'", IDS[5])
    await full.change("published_at = 'infinity'", IDS[6])
    await full.db.execute(
        "insert into search.rejected (index, id, reason) values ('island', %s, 'refused')",
        (IDS[6],),
    )
    await full.db.execute("delete from search.dirty where ids = array[%s]", (IDS[6],))
    await steps.lease(full.db, full.settings, "island", 1)

    found = await compared(full)
    assert kinds(found) == (1, 2, 2)
    assert sorted(found.examples) == [*IDS[:4], "stranger"]
    assert await full.pending() == 2
    (seen,) = await full.db.fetch("select * from ops.search_drift")
    assert (seen["drifted"], seen["repaired"], seen["documents"]) == (5, False, len(IDS) - 1)

    await full.expire()
    assert kinds(await compared(full, repair=True)) == (1, 2, 2)
    await full.change("published_at = null", IDS[6])
    await sync(full.db, full.es, full.settings)
    assert kinds(await compared(full, thorough=True)) == (0, 0, 0)
    assert await full.is_equal()


async def test_body_changed_without_its_digest_is_found_by_reading_bodies_alone(
    full: World,
) -> None:
    index = await live(full)
    hit = await digest_of(full, IDS[0])
    lie = (await full.found())[IDS[0]] | hit | {"title": "a lie"}
    await full.es.index(index=index, id=IDS[0], document=lie)
    assert kinds(await compared(full)) == (0, 0, 0)
    found = await compared(full, thorough=True, repair=True)
    assert (kinds(found), found.examples) == ((0, 0, 1), [IDS[0]])
    await sync(full.db, full.es, full.settings)
    assert await full.is_equal()


async def test_what_digests_tell_is_not_counted_again_by_its_body(full: World) -> None:
    index = await live(full)
    await full.es.index(index=index, id="stranger", document={"code": "stranger"})
    await full.es.index(index=index, id=IDS[0], document={"code": IDS[0], "title": "a lie"})
    lie = (await full.found())[IDS[1]] | await digest_of(full, IDS[1]) | {"title": "a lie"}
    await full.es.index(index=index, id=IDS[1], document=lie)
    found = await compared(full, thorough=True)
    assert kinds(found) == (0, 1, 2)
    assert sorted(found.examples) == [*IDS[:2], "stranger"]


async def test_document_of_several_digests_is_put_right(full: World) -> None:
    lie = {"code": IDS[0], "bucket": [1, 2], "digest": [1, 2]}
    await full.es.index(index=await live(full), id=IDS[0], document=lie)
    assert kinds(await compared(full, repair=True)) == (0, 0, 1)
    await sync(full.db, full.es, full.settings)
    assert await full.is_equal()
    assert kinds(await compared(full)) == (0, 0, 0)


async def digest_of(world: World, key: str) -> dict[str, Any]:
    """The fields of a document that its readers do not get."""
    await world.es.indices.refresh(index=await live(world))
    answer = await world.es.search(
        index=await live(world),
        query={"ids": {"values": [key]}},
        docvalue_fields=[{"field": "bucket"}, {"field": "digest"}],
    )
    (hit,) = answer["hits"]["hits"]
    return {name: values[0] for name, values in hit["fields"].items()}


async def test_index_restored_from_an_old_snapshot_is_put_right(full: World) -> None:
    index = await live(full)
    await full.es.indices.refresh(index=index)
    kept = await full.es.search(
        index=index,
        size=1000,
        version=True,
        docvalue_fields=[{"field": "bucket"}, {"field": "digest"}],
    )
    await full.change("title = 'since then'", *IDS[:10])
    await full.change("gone_at = now()", *IDS[10:15])
    await full.island("later", "last")
    await sync(full.db, full.es, full.settings)
    aliases = (await full.es.indices.get_alias(index=index))[index]["aliases"]
    await full.es.indices.delete(index=index)
    await full.es.indices.create(index=index, aliases=aliases, **definition("island"))
    for hit in kept["hits"]["hits"]:
        fields = {name: values[0] for name, values in hit["fields"].items()}
        await full.es.index(
            index=index, id=hit["_id"], document=hit["_source"] | fields,
            version=hit["_version"], version_type="external",
        )  # fmt: skip
    assert await full.pending() == 0
    assert kinds(await compared(full, repair=True)) == (2, 5, 10)
    await sync(full.db, full.es, full.settings)
    assert await full.is_equal()
    assert kinds(await compared(full)) == (0, 0, 0)


async def test_index_for_another_view_or_lost_is_left_to_the_rebuild(full: World) -> None:
    await full.db.execute("update search.target set content_hash = 'of another view'")
    assert "being built again" in str((await compared(full, repair=True)).skipped)
    for name in await full.es.indices.get(index=f"{full.settings.search_prefix}island*"):
        await full.es.indices.delete(index=name)
    assert "being filled" in str((await compared(full, repair=True)).skipped)
    assert await full.pending() == 0


async def test_command_tells_what_drifted_and_fails_unless_it_is_repaired(full: World) -> None:
    env = variables(full.settings)
    await full.es.delete(index=await live(full), id=IDS[0])
    done = run_etl("search", "reconcile", "--json", env=env)
    assert done.returncode == 1
    assert json.loads(done.stdout)["island"]["missing"] == 1
    done = run_etl("search", "reconcile", "island", "--repair", env=env)
    assert done.returncode == 0
    assert "The next sync sends them" in done.stdout
    await sync(full.db, full.es, full.settings)
    assert await full.is_equal()


async def test_index_that_was_replaced_meanwhile_is_not_said_to_have_drifted(
    full: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = compare.Comparison.suspects

    async def replaced(self: compare.Comparison) -> AsyncIterator[compare.Suspects]:
        physical = await rebuild.demand(full.db, full.es, full.settings, "island")
        await rebuild.until_live(full.db, full.es, full.settings, "island", physical)
        await full.island("later")
        await sync(full.db, full.es, full.settings)
        async for each in found(self):
            yield each

    monkeypatch.setattr(compare.Comparison, "suspects", replaced)
    assert "took its place" in str((await compared(full, repair=True)).skipped)
    assert await full.pending() == 0
