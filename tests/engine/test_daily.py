"""Days are done one after the other, however late."""

from datetime import UTC, date, datetime, timedelta

import pytest

from etl.engine.daily import day_done, days_due
from etl.engine.database import open_database
from tests.clock import set_ahead

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


async def test_a_worker_that_was_away_loses_no_day(database_url: str) -> None:
    async with open_database(database_url) as db:
        assert await days_due(db, "x", now=NOON) == [date(2026, 3, 9)]
        await day_done(db, "x", date(2026, 3, 9))
        assert await days_due(db, "x", now=NOON) == []

        later = NOON + timedelta(days=3)
        assert await days_due(db, "x", now=later) == [
            date(2026, 3, 10),
            date(2026, 3, 11),
            date(2026, 3, 12),
        ]
        await day_done(db, "x", date(2026, 3, 12))
        await day_done(db, "x", date(2026, 3, 10))  # a worker that comes late
        assert await days_due(db, "x", now=later) == []
        assert await days_due(db, "y", now=later) == [date(2026, 3, 12)]


async def test_a_day_ends_at_midnight_utc(database_url: str) -> None:
    late_in_tokyo = datetime(2026, 3, 10, 8, tzinfo=UTC).astimezone()
    async with open_database(database_url) as db:
        assert await days_due(db, "x", now=late_in_tokyo) == [date(2026, 3, 9)]
        midnight = datetime(2026, 3, 10, tzinfo=UTC)
        assert await days_due(db, "x", now=midnight - timedelta(seconds=1)) == [date(2026, 3, 8)]
        assert await days_due(db, "x", now=midnight) == [date(2026, 3, 9)]


async def test_the_day_is_the_databases_whatever_a_worker_takes_it_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(database_url) as db:
        with monkeypatch.context() as skewed:
            set_ahead(skewed, timedelta(days=400))
            (due,) = await days_due(db, "x")
        row = await db.fetch_one("select (now() at time zone 'UTC')::date as today")
    assert due in (row["today"] - timedelta(days=1), row["today"] - timedelta(days=2))
