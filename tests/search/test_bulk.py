"""What Elasticsearch refuses, drops or cannot take now."""

from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from etl.search import bulk
from etl.search.client import SearchForbidden, SearchUnavailable, open_elasticsearch
from etl.search.indices import alias, ensure
from etl.search.sync import Numbers, Sent, lease, settle, sync
from etl.settings import Settings
from tests.search.proxy import Line, line
from tests.search.world import World
from tests.wire import Request


@pytest.fixture
async def faulty(settings: Settings) -> AsyncIterator[Line]:
    async with line(settings) as it:
        yield it


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(bulk, "TRIES", 3)


async def through(it: Line, world: World) -> Numbers:
    async with open_elasticsearch(it.settings) as es:
        return await sync(world.db, es, it.settings)


def first(*faults: str | None) -> Iterator[str | None]:
    """These faults one after the other, then none."""
    yield from faults
    while True:
        yield None


@pytest.mark.parametrize("fault", ["cut before", "cut after", "429", "503", "502"])
async def test_fault_that_passes_is_overcome_in_the_same_run(
    faulty: Line, world: World, fault: str
) -> None:
    await sync(world.db, world.es, world.settings)
    await world.island("1", "2")
    faults = first(fault)
    faulty.fault = lambda _: next(faults)
    assert await through(faulty, world) == Numbers(sent=2)
    assert await world.is_equal()
    assert len(faulty.bulks) in {2, 3}


async def test_pending_before_the_index_is_full_is_sent_once(faulty: Line, world: World) -> None:
    await world.island("1", "2")
    assert await through(faulty, world) == Numbers(sent=2)
    assert len(faulty.bulks) == 1
    assert await world.pending() == 0
    assert await world.is_equal()


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("fault", ["cut before", "cut after", "429"])
async def test_fault_that_stays_keeps_the_marks_free_for_the_next_run(
    faulty: Line, world: World, fault: str
) -> None:
    await sync(world.db, world.es, world.settings)
    await world.island("1", "2")
    faulty.fault = lambda _: fault
    with pytest.raises(SearchUnavailable, match="2 documents of island keep waiting"):
        await through(faulty, world)
    assert await world.pending() == 2
    assert await sync(world.db, world.es, world.settings) == Numbers(sent=2)
    assert await world.is_equal()


async def test_elasticsearch_away_is_said_in_a_sentence_and_loses_nothing(world: World) -> None:
    await world.island("1")
    away = world.settings.model_copy(update={"elasticsearch_url": SecretStr("http://127.0.0.1:9")})
    async with open_elasticsearch(away) as es:
        with pytest.raises(SearchUnavailable, match="ETL_ELASTICSEARCH_URL"):
            await sync(world.db, es, away)
    assert await world.pending() == 1


async def test_key_without_privileges_is_said_and_keeps_the_marks(
    faulty: Line, world: World
) -> None:
    await world.island("1")
    faulty.fault = lambda _: "403"
    with pytest.raises(SearchForbidden, match="ETL_ELASTICSEARCH_API_KEY"):
        await through(faulty, world)
    assert await sync(world.db, world.es, world.settings) == Numbers(sent=1)


@pytest.mark.usefixtures("_quick")
async def test_full_disk_keeps_the_marks_until_the_block_is_lifted(world: World) -> None:
    await sync(world.db, world.es, world.settings)
    await world.island("1", "2")
    name = alias("island", world.settings)
    block = "index.blocks.read_only_allow_delete"
    await world.es.indices.put_settings(index=name, settings={block: True})
    with pytest.raises(SearchUnavailable, match="read-only"):
        await sync(world.db, world.es, world.settings)
    assert await world.pending() == 2
    assert await world.db.fetch("select * from search.rejected") == []
    await world.es.indices.put_settings(index=name, settings={block: None})
    assert await sync(world.db, world.es, world.settings) == Numbers(sent=2)


async def test_refused_document_is_parked_with_its_reason_while_the_batch_goes_on(
    world: World,
) -> None:
    await world.island("1", "2", "3")
    await world.change("published_at = 'infinity'", "2")
    assert await sync(world.db, world.es, world.settings) == Numbers(sent=2, rejected=1)
    (row,) = await world.db.fetch("select id, reason from search.rejected")
    assert row["id"] == "2"
    assert "published_at" in row["reason"]
    assert "infinity" in row["reason"]
    assert await world.pending() == 0

    await world.change("published_at = now()", "2")
    assert await sync(world.db, world.es, world.settings) == Numbers(sent=1)
    assert await world.db.fetch("select * from search.rejected") == []
    assert await world.is_equal()


async def test_parked_documents_are_tried_again_by_one_command(world: World) -> None:
    await world.island("1", "2")
    await world.change("published_at = 'infinity'", "1", "2")
    await sync(world.db, world.es, world.settings)
    await world.db.execute("update fortnite.island set published_at = now() where code = '1'")
    row = await world.db.fetch_one("select search.retry_rejected('island') as n")
    assert row == {"n": 2}
    assert await sync(world.db, world.es, world.settings) == Numbers(sent=1, rejected=1)


async def test_bulk_is_bounded_by_bytes_and_by_documents(faulty: Line, world: World) -> None:
    await world.island(*(f"{n:03d}" for n in range(50)), title="x" * 400)
    faulty.settings = faulty.settings.model_copy(
        update={"search_batch": 30, "search_bytes": 10_000}
    )
    assert await through(faulty, world) == Numbers(sent=50)
    assert max(faulty.bulks) <= 10_000
    assert await world.is_equal()


async def test_request_too_large_is_halved_until_it_fits(faulty: Line, world: World) -> None:
    await world.island(*(f"{n:03d}" for n in range(20)), title="x" * 400)
    await world.island("large", title="y" * 500)

    def fault(request: Request) -> str | None:
        return "413" if len(request.body) > 4000 or b"yyyy" in request.body else None

    faulty.fault = fault
    assert await through(faulty, world) == Numbers(sent=20, rejected=1)
    (row,) = await world.db.fetch("select id, reason from search.rejected")
    assert row["id"] == "large"
    assert row["reason"].startswith("413")


async def test_nothing_is_sent_past_the_half_of_the_lease(faulty: Line, world: World) -> None:
    await world.island("1")
    faulty.settings = faulty.settings.model_copy(update={"search_lease": 0.000_001})
    with pytest.raises(SearchUnavailable, match="out of time"):
        await through(faulty, world)
    assert faulty.bulks == []


async def test_connections_cut_in_the_middle_of_a_sync_drain_to_equality(
    faulty: Line, world: World
) -> None:
    ids = [f"{n:03d}" for n in range(200)]
    await world.island(*ids)
    faulty.settings = faulty.settings.model_copy(update={"search_batch": 20})
    went = 0

    def fault(_: Request) -> str | None:
        nonlocal went
        went += 1
        return "cut before" if 4 <= went <= 7 else "cut after" if went == 3 else None

    faulty.fault = fault
    await through(faulty, world)
    assert await world.is_equal()
    assert went > 11


async def test_refused_document_is_asked_of_another_index_by_itself(world: World) -> None:
    await world.island("1")
    await world.change("published_at = 'infinity'", "1")
    assert (await sync(world.db, world.es, world.settings)).rejected == 1
    assert await sync(world.db, world.es, world.settings) == Numbers()
    await world.db.execute("update search.rejected set physical = 'one with another mapping'")
    await world.db.execute("update fortnite.island set published_at = now()")
    assert await sync(world.db, world.es, world.settings) == Numbers(sent=1)
    assert await world.db.fetch("select * from search.rejected") == []


async def test_reason_is_kept_without_what_is_secret(world: World) -> None:
    await ensure(world.db, world.es, world.settings)
    await world.island("1")
    found = await lease(world.db, world.settings, "island", 1)
    assert found is not None
    why = "failed to parse [https://user:hunter2@cdn.example/x]"
    await settle(world.db, found, Sent(refused={"1": why}))
    (row,) = await world.db.fetch("select reason from search.rejected")
    assert "hunter2" not in row["reason"]
    assert "failed to parse" in row["reason"]
