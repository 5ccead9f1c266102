"""Rankings of days are as a plain sort gives them, whenever their data came, on every ground."""

import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from etl.engine import timeseries
from etl.fortnite import rankings
from etl.settings import Settings
from tests.fortnite.ranked import DAY, STEP, Island, World, known, read, sample, start, tell
from tests.timescale.conftest import Ground

FIRST = date(2026, 10, 29)
TAGS = ("pvp", "1v1", "боевой", "🎃", "pvp")
TOP = 7
CLEAN = """
truncate fortnite.ranking_row, fortnite.ranking_list, fortnite.ranking_due, fortnite.island_trend,
  fortnite.island_metric
"""


def made_up(luck: random.Random, islands: int) -> World:
    return World(
        [
            Island(
                f"{n:04}",
                luck.choice([None, "a", "b", "c"]),
                luck.choice([None, "Brand"]),
                luck.sample(["Combat", "Racing", "Brand"], luck.randrange(3)),
                luck.choices(TAGS, k=luck.randrange(4)),
            )
            for n in range(islands)
        ]
    )


def some_of(luck: random.Random, world: World, day: date) -> dict[tuple[str, datetime], int]:
    """Samples of part of the islands on a day, over much of it or less than a tenth; with ties and zeros."""
    return {
        (island.code, start(day) + STEP * luck.randrange(144)): luck.choice([0, 3, 3, 70])
        for island in world.islands
        if luck.random() < 0.8
        for _ in range(luck.choice([3, 17, 60]))
    }


def week(world: World, last: date) -> dict[str, tuple[Any, ...]]:
    """Mean, peak and its instant of each island over the week that ends with a day; null where nothing was sampled."""
    own: dict[str, list[tuple[datetime, int]]] = {code: [] for code, _ in world.samples}
    for (code, ts), ccu in sorted(world.samples.items()):
        if start(last - 6 * DAY) <= ts < start(last + DAY):
            own[code].append((ts, ccu))
    return {
        code: (
            pytest.approx(sum(ccu for _, ccu in samples) / len(samples)),
            max(ccu for _, ccu in samples),
            max(samples, key=lambda one: (one[1], -one[0].timestamp()))[0],
        )
        for code, samples in own.items()
    }


async def test_rankings_are_those_of_a_plain_sort_however_late_the_data(ground: Ground) -> None:
    db = ground.db
    await db.execute(CLEAN)
    await db.execute("delete from engine.watermark where name = 'fortnite.ranking'")
    options = Settings(fortnite_ranking_top=TOP)
    luck = random.Random(3)
    world = made_up(luck, 12)
    await known(db, world.islands)
    days = [FIRST + DAY * n for n in range(6)]
    corrected = 0
    for n, day in enumerate(days):
        await sample(db, world, some_of(luck, world, day))
        for late in days[: n + 1]:  # of any day before as well
            if luck.random() < 0.5:
                await sample(db, world, dict(list(some_of(luck, world, late).items())[:9]))
            told = luck.sample(world.islands, luck.randrange(5))
            await tell(db, world, {(one.code, late): luck.choice([0, 5, 90]) for one in told})
        await timeseries.refresh(db, until=start(day))
        if n != 2:  # a worker was away
            now = start(day) + DAY + timedelta(hours=1)
            corrected += (await rankings.compute_days(db, options, now=now)).corrected
            assert await read(db) == world.rankings(days[: n + 1], TOP)
            trends = await db.fetch(
                "select code, avg_7d, peak_7d, peak_7d_at from analytics.island_trend"
            )
            assert {row["code"]: tuple(row.values())[1:] for row in trends} == week(world, day)
    assert corrected > 5
    assert len(await read(db)) > 500
