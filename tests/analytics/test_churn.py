"""Churn of the top: who stayed, entered and dropped out from one day to the next."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from etl.engine.database import Database, open_database
from etl.fortnite import rankings
from etl.settings import Settings
from tests.fortnite.ranked import DAY, STEP, Island, World, known, sample, start

SECOND = date(2026, 11, 19)
FIRST = SECOND - DAY
PLAYERS = {FIRST: {"e": 40, "a": 30, "b": 20, "c": 10}, SECOND: {"a": 30, "c": 25, "b": 20, "d": 5}}


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as opened:
        yield opened


async def test_churn_of_the_top(db: Database, settings: Settings) -> None:
    world = World([Island(code) for code in "abcde"])
    await known(db, world.islands)
    for day, counts in PLAYERS.items():
        for code, ccu in counts.items():
            await sample(db, world, {(code, start(day) + STEP * n): ccu for n in range(144)})
        await rankings.compute_days(db, settings, now=start(day) + timedelta(hours=36))
    for top, after in ((2, (2, 1, 1, 1, 0.5)), (10, (4, 3, 1, 1, 0.25))):
        found = await db.fetch(
            "select day, ranked, stayed, entered, dropped, churn from analytics.top_churn(%s, %s, %s)",
            [FIRST, SECOND + DAY, top],
        )
        # of the day before the first nothing is known, and the day after the last is not over
        assert [tuple(row.values()) for row in found] == [
            (FIRST, min(top, 4), None, None, None, None),
            (SECOND, *after),
            (SECOND + DAY, None, None, None, None, None),
        ]
