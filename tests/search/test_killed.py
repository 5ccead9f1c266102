"""Elasticsearch killed in the middle of a rebuild, and of the switch of the alias: it goes on when it is back."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr

from etl import embedded
from etl.engine.database import Database
from etl.search import indices, rebuild
from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.indices import alias
from etl.search.sync import sync
from etl.settings import Settings
from tests.conftest import HOMES, server_settings
from tests.search.equal import differences
from tests.search.world import World

IDS = [f"{number:05d}" for number in range(1500)]


@pytest.fixture
def own(settings: Settings) -> Iterator[Settings]:
    """Options of the test, with an Elasticsearch of its own that it may kill."""
    home = Path(tempfile.mkdtemp(prefix="headrace-test-", dir=HOMES))
    server = server_settings(home)
    try:
        start(server)
        yield settings.model_copy(
            update={
                "home": home,
                "elasticsearch_url": SecretStr(embedded.elasticsearch_url(server)),
                "search_batch": 10,
                "search_lease": 3.0,
            }
        )
    finally:
        embedded.down(server)
        shutil.rmtree(home)


def start(options: Settings) -> None:
    embedded.up(server_settings(options.home), ("elasticsearch",))


def kill(options: Settings) -> None:
    state = json.loads((options.home / "elasticsearch" / "state.json").read_text())
    node = psutil.Process(state["pid"])
    node.kill()
    node.wait(30)


async def filled(db: Database, physical: str) -> int:
    row = await db.fetch_one("select filled from search.target where physical = %s", (physical,))
    return int(row["filled"])


@pytest.mark.timeout(240)
async def test_killed_in_the_middle_of_a_rebuild_and_of_the_switch(
    own: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_elasticsearch(own) as es:
        world = World(db, es, own)
        await world.island(*IDS)
        await sync(db, es, own)
        before = await live(es, own)
        physical = await rebuild.demand(db, es, own, "island")
        building = asyncio.create_task(rebuild.until_live(db, es, own, "island", physical))
        while not await filled(db, physical):
            assert not building.done(), "it ended before the server was killed"
            await asyncio.sleep(0.001)
        await world.change("title = 'in the middle'", *IDS[:50])
        kill(own)
        with pytest.raises(SearchUnavailable):
            await building
        came_to = await filled(db, physical)
        assert 0 < came_to < len(IDS)
        await world.change("title = 'while it was away'", *IDS[30:80])
        await world.change("gone_at = now()", *IDS[80:90])

        await asyncio.to_thread(start, own)
        point = indices._point

        async def killed(es: AsyncElasticsearch, name: str, target: str) -> None:
            monkeypatch.setattr(indices, "_point", point)
            kill(own)
            await point(es, name, target)

        monkeypatch.setattr(indices, "_point", killed)
        with pytest.raises(SearchUnavailable):
            await rebuild.until_live(db, es, own, "island", physical)
        await world.change("title = 'after the switch'", *IDS[60:70])

        await asyncio.to_thread(start, own)
        assert await live(es, own) == before
        await sync(db, es, own)
        assert await live(es, own) == physical
        assert await filled(db, physical) <= len(IDS)
        assert await world.pending() == 0
        assert await differences(db, es, own) == {}


async def live(es: AsyncElasticsearch, options: Settings) -> str:
    (name,) = await es.indices.get_alias(name=alias("island", options))
    return str(name)
