"""Raw pages of listings on each foundation: kept, overwritten, compressed, dropped."""

from datetime import UTC, datetime, timedelta

import pytest

from etl.engine import timeseries
from etl.engine.snapshot import Snapshot, keep
from etl.settings import Settings
from tests.timescale.conftest import Ground

NOW = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
DAY = timedelta(days=1)
OPTIONS = Settings.model_validate({"snapshot_retention_days": 6, "snapshot_compression_days": 2})


async def test_pages_are_kept_for_an_age(ground: Ground) -> None:
    pages = [Snapshot("s/EU", 0, b'{"a": 1}'), Snapshot("s/EU", 1, b'{"b": "\\u00df"}')]
    for n in range(10):
        assert await keep(ground.db, "x", NOW - n * DAY, pages) == 0
    retained = await timeseries.retain(ground.db, OPTIONS, at=NOW)
    assert retained.dropped == 3
    assert (retained.compressed > 0) == (ground.name != "plain")
    # late, to days that are compressed, and to one that is gone
    other = [Snapshot("s/EU", 0, b'{"a": 2}'), Snapshot("s/EU/P", 1, b"[]")]
    for n in (0, 4, 8):
        await keep(ground.db, "x", NOW - n * DAY, other)
    rows = await ground.db.fetch("select * from raw.snapshot order by taken_at desc, key, page")
    assert [(row["taken_at"], row["key"], row["page"], row["body"]) for row in rows] == [
        (NOW - n * DAY, *page)
        for n in range(7)
        for page in [
            ("s/EU", 0, {"a": 2 if n in (0, 4) else 1}),
            ("s/EU", 1, {"b": "ß"}),
            *([("s/EU/P", 1, [])] if n in (0, 4) else []),
        ]
    ]
    again = await timeseries.retain(ground.db, OPTIONS, at=NOW)
    assert again.dropped == 0


@pytest.mark.parametrize("body", [b'{"a": "\\u0000"}', b"{"])
async def test_a_page_that_is_refused_is_set_aside(ground: Ground, body: bytes) -> None:
    pages = [Snapshot("s", 0, body), Snapshot("s", 1, b"{}")]
    assert await keep(ground.db, "x", NOW, pages) == 1
    assert len(await ground.db.fetch("table raw.snapshot")) == 1
    (aside,) = await ground.db.fetch("select key, body from raw.rejected")
    assert (aside["key"], aside["body"]) == ("s page 0", body)
