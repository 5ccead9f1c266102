"""How islands trend: what a plain count over the samples gives, and who is on top."""

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from math import sqrt
from typing import Any

import pytest

from etl.engine import timeseries
from etl.engine.database import Database
from etl.fortnite import rankings
from etl.settings import Settings
from tests.fortnite.ranked import DAY, STEP, Island, World, known, sample, start

YESTERDAY = date(2026, 11, 19)
NOON = start(YESTERDAY) + DAY + timedelta(hours=12)
SPANS = {"1d": 1, "7d": 7, "30d": 30}


def several(
    code: str, ages: Iterable[int], ccu: int, number: int = 72
) -> dict[tuple[str, datetime], int]:
    """Samples of days so long before yesterday."""
    days = [start(YESTERDAY - DAY * age) for age in ages]
    return {(code, day + STEP * n): ccu for day in days for n in range(number)}


async def compute(db: Database, settings: Settings) -> dict[str, dict[str, Any]]:
    await timeseries.refresh(db, until=start(NOON.date()))
    await rankings.compute_days(db, settings, now=NOON)
    rows = await db.fetch("select * from analytics.island_trend")
    return {row["code"]: row for row in rows}


def mean(world: World, code: str, first: int, days: int) -> tuple[float, int] | None:
    """Mean and number of the samples of so many days from ``first`` days before yesterday back."""
    until, since = (start(YESTERDAY - DAY * age) for age in (first - 1, first + days - 1))
    own = [ccu for (c, ts), ccu in world.samples.items() if c == code and since <= ts < until]
    return (sum(own) / len(own), len(own)) if own else None


async def test_numbers_are_those_of_the_samples(db: Database, settings: Settings) -> None:
    luck = random.Random(5)
    world = World([Island(code) for code in "abcd"])
    await known(db, world.islands)
    for code, share in (("a", 1.0), ("b", 0.5), ("c", 0.08)):
        ages = [age for age in range(62) if luck.random() < share]
        for age in ages:
            await sample(
                db, world, several(code, [age], luck.randrange(1, 60), luck.randrange(10, 30))
            )
    found = await compute(db, settings)
    assert set(found) == set("abc")
    for code in "abc":
        for span, days in SPANS.items():
            now, before = mean(world, code, 0, days), mean(world, code, days, days)
            row = found[code]
            assert row[f"avg_{span}"] == (pytest.approx(now[0]) if now else None)
            covered = now and before and min(now[1], before[1]) >= 14.4 * days
            assert row[f"growth_{span}"] == (
                pytest.approx(now[0] / before[0] - 1, rel=1e-5)
                if now and before and covered
                else None
            )
            since = start(YESTERDAY - DAY * (days - 1))
            own = [
                (-ccu, ts) for (c, ts), ccu in world.samples.items() if c == code and ts >= since
            ]
            peak, peak_at = min(own, default=(None, None))
            assert row[f"peak_{span}"] == (None if peak is None else -peak)
            assert row[f"peak_{span}_at"] == peak_at
    assert {span: found["a"][f"growth_{span}"] is None for span in SPANS} == dict.fromkeys(
        SPANS, False
    )


async def test_trending_is_robust_for_small_and_for_large(db: Database, settings: Settings) -> None:
    def score(now: float, base: float) -> float:
        return (now - base) / sqrt(base + 50 + (base / 5) ** 2)

    played = {  # players yesterday, and on the days before
        "tiny, from nothing": (3, 0),
        "tiny, tenfold": (9, 1),
        "small, from nothing": (30, 0),
        "grows": (300, 100),
        "huge, a good day": (60_000, 55_000),
        "falls": (50, 400),
        "new": (500, None),
        "met late": (500, None),
        "half a day": (500, 100),
    }
    world = World([Island(code) for code in played])
    await known(db, world.islands)
    await db.execute(
        "update fortnite.island set published_at = case when code = 'new' then %s else '2024-01-01Z' end"
        " where code <> 'small, from nothing'",
        [start(YESTERDAY - DAY) + timedelta(hours=12)],
    )
    for code, (now, base) in played.items():
        await sample(db, world, several(code, [0], now, 71 if code == "half a day" else 72))
        if base is not None:
            await sample(db, world, several(code, range(1, 8), base))
    await sample(db, world, several("new", [1], 280, 9))
    found = {code: row["trending"] for code, row in (await compute(db, settings)).items()}
    lived = 1 / 14  # of the 7 days before, it was there for half a day
    assert found == {
        "tiny, from nothing": None,
        "tiny, tenfold": None,
        "small, from nothing": pytest.approx(score(30, 0)),
        "grows": pytest.approx(score(300, 100)),
        "huge, a good day": pytest.approx(score(60_000, 55_000)),
        "falls": pytest.approx(score(50, 400)),
        "new": pytest.approx(score(500, 280 * lived)),
        "met late": None,
        "half a day": None,
    }
    top = sorted((code for code in found if found[code] is not None), key=lambda code: -found[code])
    assert top[:2] == ["new", "grows"]
    assert top[-2:] == ["huge, a good day", "falls"]


async def test_what_the_data_api_told_is_added_up_for_what_it_is(
    db: Database, settings: Settings
) -> None:
    await known(db, [Island(code) for code in "ab"])
    told = [(0, 10, 7), (1, None, 8), (6, 1, None), (7, 100, 50), (29, 1000, 500), (30, 9999, 9999)]
    await db.execute(
        "insert into fortnite.island_metric"
        " (ts, island_id, bucket_minutes, read_at, partial, plays, unique_players, peak_ccu)"
        " select u.ts, i.island_id, 1440, now(), i.code = 'b', u.plays, u.players, 1"
        " from fortnite.island as i,"
        " unnest(%s::timestamptz[], %s::int[], %s::int[]) as u (ts, plays, players)",
        [
            [start(YESTERDAY - DAY * age) for age, _, _ in told],
            [plays for _, plays, _ in told],
            [players for _, _, players in told],
        ],
    )
    found = await compute(db, settings)
    assert set(found) == {"a"}  # the days of b are not closed
    numbers = {
        "plays_1d": 10,
        "plays_7d": 11,
        "plays_30d": 1111,
        "unique_players_1d": 7,
        "player_days_7d": 15,
        "player_days_30d": 565,
        "told_days_7d": 3,
        "told_days_30d": 5,
        "avg_30d": None,
    }
    assert {name: found["a"][name] for name in numbers} == numbers


async def test_numbers_end_with_their_data_and_documents_are_told(
    db: Database, settings: Settings
) -> None:
    world = World([Island("a"), Island("b")])
    await known(db, world.islands)
    await sample(db, world, several("a", range(8), 40) | several("b", range(40), 7, 15))
    found = await compute(db, settings)
    assert (found["a"]["rank"], found["a"]["trending"]) == (1, 0)
    await db.execute("delete from search.dirty")
    await db.execute(
        "delete from fortnite.ccu where island_id = (select island_id from fortnite.island where code = 'a')"
    )
    found = await compute(db, settings)
    assert {name for name, value in found["a"].items() if value is not None} == {
        "code",
        "title",
        "tags",
        "day",
    }
    assert found["b"]["rank"] == 1
    assert {row["id"] for row in await db.fetch("select id from search.pending")} == {"a", "b"}
