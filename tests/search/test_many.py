"""Two sync workers under random writes of all pipelines, while Elasticsearch has its troubles."""

import asyncio
import random
from contextlib import suppress

import pytest

from etl.engine.database import open_database
from etl.search import bulk
from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.sync import sync
from etl.settings import Settings
from tests.search.equal import differences
from tests.search.proxy import line
from tests.search.world import World
from tests.search.writes import Writer
from tests.wire import Request

TURNS = 60
BLOCK = "index.blocks.read_only_allow_delete"


async def syncing(settings: Settings, stop: asyncio.Event) -> None:
    """A sync worker with connections of its own, whose sync may fail: the next one is the retry."""
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    async with open_database(url, size=4) as db, open_elasticsearch(settings) as es:
        while not stop.is_set():
            with suppress(SearchUnavailable):
                await sync(db, es, settings)


async def full_disk(world: World, stop: asyncio.Event) -> None:
    """Every index becomes read-only for a moment, again and again, and forgets its deletes."""
    while not stop.is_set():
        for value in (True, None):
            await world.es.indices.put_settings(
                index=f"{world.settings.search_prefix}*",
                settings={BLOCK: value, "index.gc_deletes": "0s"},
                expand_wildcards="all",
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.2)


async def test_every_document_equals_its_row_after_two_workers_and_random_writes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "FIRST_PAUSE", 0.01)
    chance = random.Random(7)
    small = world.settings.model_copy(
        update={"search_batch": 7, "search_connections": 2, "search_lease": 1.0}
    )
    await sync(world.db, world.es, small)
    stop = asyncio.Event()

    def fault(_: Request) -> str | None:
        return chance.choice(("cut before", "cut after", "429")) if chance.random() < 0.1 else None

    async def write(seed: int) -> None:
        writer = Writer(world.db, seed)
        for _ in range(TURNS):
            await writer.turn()

    async with line(small) as it:
        it.fault = fault
        workers = [asyncio.create_task(syncing(it.settings, stop)) for _ in range(2)]
        trouble = asyncio.create_task(full_disk(world, stop))
        await asyncio.gather(*(write(seed) for seed in (1, 2)))
        stop.set()
        await asyncio.gather(*workers, trouble)
    await world.expire()
    await world.db.execute("update search.deleted set deleted_at = now() - interval '1 day'")
    await sync(world.db, world.es, world.settings)
    assert await world.pending() == 0
    assert await differences(world.db, world.es, world.settings) == {}
