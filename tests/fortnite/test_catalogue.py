"""The catalogue listed from the simulator: to its end, cut off, hostile, in circles."""

import asyncio
import re
from typing import Any

import pytest

from etl.engine import http, watermark
from etl.engine.database import Database, open_database
from etl.engine.errors import Refused, Transient
from etl.engine.items import Numbers
from etl.fortnite import catalogue
from etl.fortnite.catalogue import WATERMARK, ingest
from etl.settings import Settings
from etl.simulator.process import Running
from tests.clock import set_ahead
from tests.fortnite.conftest import ISLANDS
from tests.fortnite.upstream import pointed, raw
from tests.wire import Request, answer, saying, serve

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


async def listed(db: Database) -> int:
    row = await db.fetch_one(
        "select count(*) as n from fortnite.island where listed_at is not null"
    )
    return int(row["n"])


async def rejected(db: Database) -> list[tuple[str | None, str, bytes]]:
    rows = await db.fetch(
        "select key, reason, body from raw.rejected where resource = 'fortnite.catalogue'"
    )
    return [(row["key"], row["reason"], row["body"]) for row in rows]


async def served(sim: Running) -> int:
    return int((await sim.state())["served"].get("islands", 0))


async def test_all_pages_are_landed_and_the_next_listing_changes_nothing(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    before, sums = await served(sim), []
    numbers = await ingest(
        sim_db, sim_options, progress=lambda sofar: sums.append(sofar.as_dict()["landed"])
    )
    assert numbers == Numbers(landed=ISLANDS, changed=ISLANDS)
    assert sums == [1000, 2000, ISLANDS]
    assert await served(sim) - before == 3
    assert await listed(sim_db) == ISLANDS
    assert await watermark.load(sim_db, WATERMARK) == {"after": None, "pages": 3, "complete": True}
    assert await ingest(sim_db, sim_options) == Numbers(landed=ISLANDS, unchanged=ISLANDS)
    due = await sim_db.fetch_one(
        "select count(*) as n from engine.crawl where resource = 'fortnite.island' and class = 0"
    )
    assert due["n"] == ISLANDS


async def test_a_worker_whose_clock_is_wrong_dates_pages_as_the_others_do(
    sim_db: Database, sim_options: Settings, sim: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await sim_db.fetch_one("select clock_timestamp() as now")
    with monkeypatch.context() as skewed:
        set_ahead(skewed)
        await ingest(sim_db, sim_options)
    row = await sim_db.fetch_one(
        "select min(fetched_at) as first, max(fetched_at) as last, clock_timestamp() as now "
        "from raw.document where resource = 'fortnite.catalogue'"
    )
    assert before["now"] < row["first"] < row["last"] < row["now"]


async def test_it_needs_no_account(sim_db: Database, sim_options: Settings, sim: Running) -> None:
    nobody = sim_options.model_copy(
        update={"fortnite_client_id": None, "fortnite_client_secret": None, "token_key": None}
        | {"fortnite_device_id": None, "fortnite_device_secret": None}
    )
    assert (await ingest(sim_db, nobody)).landed == ISLANDS


async def test_a_listing_that_was_cut_off_goes_on_where_it_was(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await sim.fault("islands", "error", skip=2)
    with pytest.raises(Transient, match="answered 503"):
        await ingest(sim_db, sim_options)
    assert await listed(sim_db) == 2000
    saved = await watermark.load(sim_db, WATERMARK)
    assert (saved["pages"], saved["complete"]) == (2, False)
    await sim.clear_faults()
    before = await served(sim)
    assert (await ingest(sim_db, sim_options)).landed == 300
    assert await served(sim) - before == 1
    assert await listed(sim_db) == ISLANDS


async def test_a_saved_cursor_that_is_refused_begins_anew(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await watermark.save(sim_db, WATERMARK, {"after": "nonsense", "pages": 7, "complete": False})
    assert (await ingest(sim_db, sim_options)).landed == ISLANDS
    assert await watermark.load(sim_db, WATERMARK) == {"after": None, "pages": 3, "complete": True}


async def test_a_service_that_refuses_to_list_says_so(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await sim.fault("islands", "not_found")
    with pytest.raises(Refused, match="404"):
        await ingest(sim_db, sim_options)


async def test_a_cursor_that_repeats_stops_with_its_reason_and_begins_anew(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await sim.fault("islands", "cursor")
    before = await served(sim)
    with pytest.raises(Transient, match="page 2 leads back to cursor"):
        await ingest(sim_db, sim_options)
    assert await served(sim) - before == 2
    assert await listed(sim_db) == 2000
    await sim.clear_faults()
    assert (await ingest(sim_db, sim_options)).landed == ISLANDS


PASSING = [
    {"kind": "error", "status": 500},
    {"kind": "empty"},
    {"kind": "html"},
    {"kind": "cut"},
    {"kind": "slow", "seconds": 30.0},
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: str(fault["kind"]))
async def test_what_passes_loses_nothing(
    sim_db: Database, sim_options: Settings, sim: Running, fault: dict[str, Any]
) -> None:
    await sim.fault("islands", skip=1, times=1, **fault)
    quick = sim_options.model_copy(update={"http_timeout": 1.0})
    assert (await ingest(sim_db, quick)).landed == ISLANDS
    assert await listed(sim_db) == ISLANDS
    assert await rejected(sim_db) == []


@pytest.mark.parametrize("retry_after", [20, None])
async def test_a_service_that_asks_to_keep_away_is_left_alone_and_gone_on_with(
    sim_db: Database, sim_options: Settings, sim: Running, retry_after: int | None
) -> None:
    await sim.fault("islands", "throttle", skip=1, times=1, retry_after=retry_after)
    with pytest.raises(Transient, match="answered 429") as raised:
        await ingest(sim_db, sim_options)
    assert raised.value.retry_at is not None
    assert await listed(sim_db) == 1000
    row = await sim_db.fetch_one(
        "select closed, extract(epoch from closed_until - now())::float8 as seconds "
        "from ops.throttle where name = 'fortnite.data'"
    )
    assert row["closed"]
    assert row["seconds"] == pytest.approx(retry_after or 30, abs=5)
    await sim_db.execute("update engine.throttle set closed_until = now() + interval '0.5 second'")
    assert (await ingest(sim_db, sim_options)).landed == ISLANDS - 1000


BAD = {
    "shape": (None, "no code to be read"),
    "types": ("key", "Expected"),
    "nul": ("key", "x0000|u0000|NUL|escape"),
    "surrogate": ("key", "half a surrogate pair"),
    "nan": ("key", "no valid JSON"),
    "huge": ("key", "more than the"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_one_bad_item_is_set_aside_and_the_batch_goes_on(
    sim_db: Database, sim_options: Settings, sim: Running, kind: str
) -> None:
    struck = (await sim.codes(limit=500))[499]
    await sim.fault("islands", kind, codes=[struck], times=1)
    numbers = await ingest(sim_db, sim_options)
    assert (numbers.landed, numbers.rejected) == (ISLANDS - 1, 1)
    key, reason = BAD[kind]
    ((found, why, body),) = await rejected(sim_db)
    assert found == (key and struck)
    assert body
    assert re.search(reason, why), why
    assert await listed(sim_db) == ISLANDS - 1
    await sim.clear_faults()
    assert (await ingest(sim_db, sim_options)).landed == ISLANDS
    assert await listed(sim_db) == ISLANDS


async def test_a_code_twice_on_a_page_is_one_and_one_that_vanishes_is_missed_by_nobody(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    first, second = await sim.codes(limit=2)
    await sim.fault("islands", "duplicate", codes=[first], times=1)
    await sim.fault("islands", "vanish", codes=[second], times=1)
    numbers = await ingest(sim_db, sim_options)
    assert (numbers.landed, numbers.rejected) == (ISLANDS - 1, 0)
    assert await listed(sim_db) == ISLANDS - 1
    await sim.clear_faults()
    assert (await ingest(sim_db, sim_options)).landed == ISLANDS
    assert await listed(sim_db) == ISLANDS


def page(codes: list[str], after: object) -> bytes:
    return raw(
        {
            "data": [{"code": code, "title": code, "tags": []} for code in codes],
            "meta": {"count": len(codes), "page": {"prevCursor": None, "nextCursor": after}},
        }
    )


async def told(db: Database, settings: Settings, *pages: bytes) -> tuple[str, int]:
    """What a listing of these pages raises, and how many islands it left."""
    async with serve(saying(*(answer(body=one) for one in pages))) as server:
        with pytest.raises(Transient) as raised:
            await ingest(db, pointed(settings, server.url))
    return raised.value.reason, await listed(db)


async def test_pages_that_never_end_stop_with_their_reason(
    sim_db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = [page(["a"], f"c{n}") for n in range(9)]
    reason, count = await told(sim_db, settings, *same)
    assert "catalogue page 2 lists what an earlier one listed" in reason
    assert count == 1
    circle = [page(["a"], "1"), page(["b"], "2"), page(["c"], "1"), page(["d"], "2")]
    reason, count = await told(sim_db, settings, *circle)
    assert "page 3 leads back to cursor '1'" in reason
    assert count == 3
    monkeypatch.setattr(catalogue, "MOST_PAGES", 4)
    endless = [page([f"e{n}"], f"c{n}") for n in range(9)]
    reason, count = await told(sim_db, settings, *endless)
    assert "has not ended after 4 pages" in reason
    assert count == 7


async def test_a_saved_cursor_that_always_fails_keeps_no_new_islands_out(
    sim_db: Database, settings: Settings
) -> None:
    saved = {"after": "1", "pages": 1, "complete": False}
    await watermark.save(sim_db, WATERMARK, saved)
    away = False

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        fails = away or "after=1" in request.line
        writer.write(answer(500) if fails else answer(body=page(["new"], "1")))

    async with serve(handle) as server:
        with pytest.raises(Transient, match="500"):
            await ingest(sim_db, pointed(settings, server.url))
        assert await listed(sim_db) == 1
        away = True  # then it is not the cursor's fault, which is kept
        with pytest.raises(Transient, match="500"):
            await ingest(sim_db, pointed(settings, server.url))
    assert await watermark.load(sim_db, WATERMARK) == saved


async def test_a_page_of_the_wrong_shape_says_so_and_its_good_part_is_landed(
    sim_db: Database, settings: Settings
) -> None:
    first = page(["a"], "1")
    for wrong, why, count in [
        (b'{"errorCode": "x"}', "it has no data", 1),
        (b'{"data": {"0": {}}}', "it is no JSON: expected [", 1),
        (b"[]", "it is no JSON: expected {", 1),
        (page(["b"], "2")[:-9], "it is no JSON", 1),
        (b'{"data": [{"code": "c"}]}', "the cursor of the next page cannot be read: 'meta'", 2),
        (page(["d"], 7), "the cursor of the next page cannot be read: Expected `str | null`", 3),
        (page(["e"], "x" * 5000), "Expected `str` of length <= 2000", 4),
    ]:
        await watermark.save(sim_db, WATERMARK, {"after": None, "pages": 0, "complete": True})
        reason, found = await told(sim_db, settings, first, wrong)
        assert why in reason
        assert found == count, wrong


async def test_a_page_is_landed_while_the_next_is_fetched(
    sim_db: Database, settings: Settings, database_url: str
) -> None:
    second = asyncio.Event()

    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        if "after=1" in request.line:
            second.set()
        writer.write(answer(body=page(["b"], None) if second.is_set() else page(["a"], "1")))

    async with (
        serve(handle) as server,
        open_database(database_url, size=1) as other,
        other.connection() as holder,
    ):
        async with holder.transaction():
            await holder.execute("lock table raw.document in access exclusive mode")
            task = asyncio.create_task(ingest(sim_db, pointed(settings, server.url)))
            async with asyncio.timeout(5):
                await second.wait()
            assert not task.done()
        assert (await task).landed == 2


async def test_a_killed_listing_lands_nothing_twice(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await sim.fault("islands", "slow", seconds=0.4)
    for wait in (0.6, 0.9, 1.3):
        task = asyncio.create_task(ingest(sim_db, sim_options))
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await sim.clear_faults()
    await ingest(sim_db, sim_options)
    rows = await sim_db.fetch_one(
        "select count(*) as versions, count(distinct key) as keys from raw.document "
        "where resource = 'fortnite.catalogue'"
    )
    assert rows == {"versions": ISLANDS, "keys": ISLANDS}
    assert await listed(sim_db) == ISLANDS
