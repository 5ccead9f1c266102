"""The jobs of all indices, when one of them cannot be had."""

import pytest

from etl.fortnite import totals
from etl.search import bulk, rebuild
from etl.search.client import SearchUnavailable
from etl.search.indices import alias
from etl.search.sync import sync
from jobs import search
from jobs.tools import Tools
from tests.search.world import World


@pytest.fixture
async def full(world: World) -> Tools:
    """A creator and an island in their indices."""
    await world.db.execute(
        "insert into fortnite.creator (account_id, source, first_seen_at) values ('c', 'test', now())"
    )
    await totals.count(world.db)
    await world.island("1")
    await sync(world.db, world.es, world.settings)
    return Tools(world.settings, world.db)


async def live(world: World, index: str) -> str:
    (name,) = await world.es.indices.get_alias(name=alias(index, world.settings))
    return str(name)


async def test_index_that_takes_no_writes_keeps_no_other_from_being_rebuilt(
    world: World, full: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk of its node alone is full."""
    monkeypatch.setattr(bulk, "TRIES", 1)
    built = {
        index: await rebuild.demand(world.db, world.es, world.settings, index)
        for index in ("creator", "island")
    }
    blocked = {"index.blocks.read_only_allow_delete": True}
    await world.es.indices.put_settings(index=built["creator"], settings=blocked)
    with pytest.raises(SearchUnavailable, match="creator"):
        await search.rebuild(full)
    assert await live(world, "island") == built["island"]
