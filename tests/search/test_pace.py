"""How large a bulk request is: smaller after one that was too much, larger after those taken."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from etl.search import bulk
from etl.search.bulk import LEAST, Pace
from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.indices import ensure
from etl.search.sync import Numbers, sync
from etl.settings import Settings
from tests.search.proxy import Line, line
from tests.search.world import World
from tests.wire import Request

MOST = 64 * 1024


@pytest.fixture
async def faulty(settings: Settings) -> AsyncIterator[Line]:
    narrow = {"search_bytes": MOST, "search_connections": 1, "search_batch": 5000}
    async with line(settings.model_copy(update=narrow)) as it:
        yield it


@pytest.mark.parametrize("status", ["429", "413", "503"])
async def test_refusal_halves_the_requests_and_success_lets_them_grow(
    faulty: Line, world: World, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(bulk, "FIRST_PAUSE", 0.01)
    await ensure(world.db, world.es, world.settings)
    await world.island(*(f"{n:04d}" for n in range(900)), title="x" * 400)

    refused: list[int] = []

    def fault(request: Request) -> str | None:
        if len(request.body) <= MOST // 2 or len(faulty.bulks) > 12:
            return None
        refused.append(len(faulty.bulks))
        return status

    faulty.fault = fault
    async with open_elasticsearch(faulty.settings) as es:
        assert await sync(world.db, es, faulty.settings) == Numbers(sent=900)
    assert refused
    assert all(after - before > 1 for before, after in pairwise(refused)), "one more as large"
    assert max(faulty.bulks[13:]) > 0.9 * MOST
    assert await world.is_equal()


def test_pace_stays_between_the_least_and_the_most() -> None:
    pace = Pace(MOST)
    for _ in range(10):
        pace.slower()
    assert pace.size == LEAST
    for _ in range(20):
        pace.faster()
    assert pace.size == MOST
    small = Pace(1000)
    small.slower()
    assert small.size == 1000


async def test_index_that_cannot_be_written_keeps_no_other_waiting(
    faulty: Line, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "TRIES", 1)
    await world.db.execute("select search.mark('creator', array['nobody'])")
    await world.island("1")
    faulty.fault = lambda request: "503" if "creator" in request.line else None
    async with open_elasticsearch(faulty.settings) as es:
        with pytest.raises(SearchUnavailable, match="1 documents of creator keep waiting"):
            await sync(world.db, es, faulty.settings)
    assert set(await world.found()) == {"1"}
    assert await world.pending() == 1
