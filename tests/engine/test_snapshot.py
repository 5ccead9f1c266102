"""Raw pages of listings: kept as they came, once each, for an age."""

from datetime import UTC, datetime, timedelta

import orjson
import psycopg
import pytest

from etl.engine import timeseries
from etl.engine.database import Database
from etl.engine.snapshot import Snapshot, keep
from etl.settings import Settings

AT = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
PAGES = [Snapshot("s/EU", 0, b'{"a": 1}'), Snapshot("s/EU/p", 1, '{"ß": "🎮"}'.encode())]
ALL = "select resource, taken_at, key, page, body from raw.snapshot order by taken_at, key, page"


async def kept(db: Database) -> list[tuple[datetime, str, int, object]]:
    return [(r["taken_at"], r["key"], r["page"], r["body"]) for r in await db.fetch(ALL)]


async def test_a_listing_that_is_repeated_overwrites_itself(db: Database) -> None:
    for pages in (PAGES, PAGES, [Snapshot("s/EU", 0, b'{"a": 2}')]):
        assert await keep(db, "x", AT, pages) == 0
    assert await kept(db) == [(AT, "s/EU", 0, {"a": 2}), (AT, "s/EU/p", 1, {"ß": "🎮"})]
    assert await keep(db, "x", AT + timedelta(days=1), PAGES) == 0
    assert len(await kept(db)) == 4


async def test_a_page_the_server_refuses_is_set_aside_and_the_others_are_kept(db: Database) -> None:
    bad = [b'{"a": "\\u0000"}', b'{"a": "\\ud83d"}', b'{"a": NaN}', b"{", b"\xff"]
    pages = [Snapshot("bad", n, body) for n, body in enumerate(bad)]
    mixed = [pages[0], PAGES[0], *pages[1:4], PAGES[1], pages[4]]
    for _ in range(2):
        assert await keep(db, "x", AT, mixed) == len(bad)
    assert [row[1] for row in await kept(db)] == ["s/EU", "s/EU/p"]
    aside = await db.fetch("select key, body from raw.rejected order by key")
    assert [(row["key"], row["body"]) for row in aside] == [
        (f"bad page {n}", body) for n, body in enumerate(bad)
    ]


async def test_pages_are_dropped_by_the_day_and_old_ones_never_come(
    db: Database, settings: Settings
) -> None:
    for days in (0, 3, 5):
        await keep(db, "x", AT - timedelta(days=days), PAGES)
    options = settings.model_copy(update={"snapshot_retention_days": 4})
    retained = await timeseries.retain(db, options, at=AT)
    assert retained.dropped == 1
    assert {row[0] for row in await kept(db)} == {AT, AT - timedelta(days=3)}
    await keep(db, "x", AT - timedelta(days=5), PAGES)
    assert len(await kept(db)) == 4


async def test_what_is_not_the_datas_fault_is_raised(db: Database) -> None:
    await db.execute("drop function raw.keep_pages")
    with pytest.raises(psycopg.errors.UndefinedFunction):
        await keep(db, "x", AT, PAGES)


async def test_large_listings_go_in_batches(db: Database) -> None:
    pages = [Snapshot("s", n, orjson.dumps({"n": n})) for n in range(2500)]
    assert await keep(db, "x", AT, pages) == 0
    assert [row[2] for row in await kept(db)] == list(range(2500))
