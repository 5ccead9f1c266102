"""Performance of islands: averages, peaks, minutes and coverage, as a plain count over the samples gives them."""

import random
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from etl.engine import timeseries
from etl.engine.database import Database
from etl.fortnite import performance
from tests import marks
from tests.timescale.model import DAY, HOUR, STEP, at

NOW = at("2026-11-20 10:20")
SPANS = {
    "24h": NOW.replace(minute=0) - 23 * HOUR,
    "7d": NOW.replace(hour=0, minute=0) - 6 * DAY,
    "30d": NOW.replace(hour=0, minute=0) - 29 * DAY,
}

Truth = dict[tuple[str, datetime], int]


async def store(db: Database, ts: datetime, counts: dict[str, int]) -> None:
    await db.fetch(
        "select * from fortnite.store_ccu(%s, 'entries', %s::text[], %s::int[])",
        [ts, list(counts), list(counts.values())],
    )


async def fill(db: Database, span: timedelta, gaps: float, codes: str = "abc") -> Truth:
    """Samples over ``span`` up to now, with gaps; the first cycle has everyone."""
    luck = random.Random(17)
    truth: Truth = {}
    for n in range(span // STEP, -1, -1):
        ts = NOW - n * STEP
        if n not in (0, span // STEP) and luck.random() < gaps:
            continue
        counts = {c: luck.randrange(200) for c in codes if n == span // STEP or luck.random() < 0.9}
        await store(db, ts, counts)
        truth |= {(code, ts): ccu for code, ccu in counts.items()}
    return truth


async def rows(db: Database) -> dict[str, dict[str, Any]]:
    found = await db.fetch(
        "select i.code, p.* from fortnite.island_performance as p"
        " join fortnite.island as i using (island_id)"
    )
    return {row["code"]: row for row in found}


def expected(truth: Truth, code: str, now: datetime = NOW) -> dict[str, Any]:
    """What a plain count over the samples gives."""
    own = {ts: ccu for (c, ts), ccu in truth.items() if c == code}
    numbers: dict[str, Any] = {}
    for span, start in SPANS.items():
        within = [ccu for ts, ccu in own.items() if start <= ts <= now]
        steps = (now - max(start, min(own))) // STEP + 1
        numbers |= {
            f"avg_{span}": pytest.approx(sum(within) / len(within)) if within else None,
            f"peak_{span}": max(within, default=None),
            f"minutes_{span}": 10 * sum(within) if within else None,
            f"coverage_{span}": pytest.approx(len(within) / steps),
        }
    return numbers


def has(row: dict[str, Any], numbers: dict[str, Any]) -> None:
    assert {name: row[name] for name in numbers} == numbers


@pytest.mark.parametrize("refreshed", ["never", "before", "after"])
@pytest.mark.parametrize("span", [timedelta(0), 5 * HOUR, 3 * DAY])
async def test_numbers_are_those_of_the_samples(
    db: Database, span: timedelta, refreshed: str
) -> None:
    truth = await fill(db, span, gaps=0.2)
    if refreshed == "before":
        await timeseries.refresh(db, until=NOW - span / 2)
    if refreshed == "after":
        await timeseries.refresh(db)
    assert await performance.compute(db) == 3
    found = await rows(db)
    for code in "abc":
        has(found[code], expected(truth, code))
        assert found[code]["computed_at"] == NOW


async def test_spans_begin_at_their_hour_and_their_day(db: Database) -> None:
    truth: Truth = {}
    for start in SPANS.values():
        for ts, ccu in ((start - STEP, 1000), (start, 7)):
            truth["a", ts] = ccu
    truth["a", NOW] = 1
    for _, ts in sorted(truth, key=lambda key: key[1]):
        await store(db, ts, {"a": truth["a", ts]})
    await timeseries.refresh(db)
    await performance.compute(db)
    has((await rows(db))["a"], expected(truth, "a"))


async def test_an_earlier_cycle_is_computed_as_it_was(db: Database) -> None:
    truth = await fill(db, 2 * DAY, gaps=0.1)
    await timeseries.refresh(db)
    await performance.compute(db, NOW)
    await performance.compute(db)
    found = await rows(db)
    await store(db, NOW + 3 * DAY, {"a": 5000})
    await timeseries.refresh(db)
    await performance.compute(db)
    assert (await rows(db))["a"]["peak_24h"] == 5000
    await performance.compute(db, NOW)
    for code in "abc":
        has((await rows(db))[code], expected(truth, code))
        assert found[code].keys() == (await rows(db))[code].keys()


async def test_late_samples_correct_the_numbers(db: Database) -> None:
    truth = await fill(db, 2 * DAY, gaps=0)
    await timeseries.refresh(db)
    await performance.compute(db)
    late = NOW - DAY - 5 * HOUR
    await store(db, late, {"a": 9999})
    await timeseries.refresh(db)
    await performance.compute(db)
    found = await rows(db)
    has(found["a"], expected(truth | {("a", late): 9999}, "a"))
    has(found["b"], expected(truth, "b"))


async def test_only_rows_that_changed_are_written(db: Database) -> None:
    await fill(db, HOUR, gaps=0)
    await performance.compute(db)
    before = await db.fetch(
        "select xmin::text, * from fortnite.island_performance order by island_id"
    )
    assert await performance.compute(db) == 0
    after = await db.fetch(
        "select xmin::text, * from fortnite.island_performance order by island_id"
    )
    assert after == before
    await store(db, NOW, {"b": 5000})
    assert await performance.compute(db) == 1


async def test_documents_are_marked_when_their_numbers_moved_enough(db: Database) -> None:
    async def marked() -> set[str]:
        return {row["id"] for row in await db.fetch(marks.TAKE)}

    await store(db, NOW - STEP, {"a": 1000, "b": 1000, "c": 0})
    await marked()
    await performance.compute(db)
    assert await marked() == {"a", "b", "c"}
    await store(db, NOW, {"a": 950, "b": 500, "c": 0})
    await marked()
    assert await performance.compute(db) == 2
    assert await marked() == {"b"}


async def test_islands_take_turns_but_a_new_one_never_waits(db: Database) -> None:
    """Neighbours have their turn together, so these are made to be far apart."""
    codes = [f"{n:02d}" for n in range(12)]
    for n, code in enumerate(codes):
        await db.execute(
            "insert into fortnite.island (island_id, code, source, first_seen_at) "
            "overriding system value values (%s, %s, 'catalogue', %s)",
            [n * 5000 + 4999 * (n % 2), code, NOW],
        )
    await db.execute("alter sequence fortnite.island_island_id_seq restart with 100000")
    await store(db, NOW - HOUR, dict.fromkeys(codes, 1))
    await performance.compute(db, turns=6)
    assert len(await rows(db)) == 12
    for n in range(6):
        await store(db, NOW + n * STEP, dict.fromkeys([*codes, f"new {n}"], 10 + n))
        assert await performance.compute(db, turns=6) in {3, 4}
    found = await rows(db)
    assert len(found) == 18
    assert {found[code]["computed_at"] for code in codes} == {NOW + n * STEP for n in range(6)}


async def test_an_island_nobody_plays_is_looked_at_once_a_day(db: Database) -> None:
    await store(db, NOW, {"idle": 0, "played": 5})
    assert await performance.compute(db) == 2
    for later in (10 * STEP, DAY, 29 * DAY):
        await store(db, NOW + later, {"idle": 0, "played": 5})
        await performance.compute(db)
    found = await rows(db)
    assert found["idle"]["computed_at"] == NOW + 29 * DAY
    has(found["idle"], {"avg_30d": 0, "peak_30d": 0, "minutes_30d": 0})


async def test_numbers_end_thirty_days_after_the_last_sample(db: Database) -> None:
    await store(db, NOW, {"a": 7})
    await performance.compute(db)
    for later in (DAY, 7 * DAY, 31 * DAY):
        await store(db, NOW + later, {"b": 1})
        await timeseries.refresh(db)
        await performance.compute(db)
    row = (await rows(db))["a"]
    assert {row[f"{name}_{span}"] for name in ("avg", "peak", "minutes") for span in SPANS} == {
        None
    }
    assert {row[f"coverage_{span}"] for span in SPANS} == {0}


async def test_nothing_sampled_is_nothing_computed(db: Database) -> None:
    assert await performance.compute(db) == 0


async def test_more_than_five_thousand_documents_are_never_marked_at_once(db: Database) -> None:
    codes = [f"{n:05d}" for n in range(10_100)]
    for start in range(0, len(codes), 5000):
        await store(db, NOW, dict.fromkeys(codes[start : start + 5000], 3))
    await db.execute("delete from search.dirty")
    assert await performance.compute(db) == len(codes)
    most = await db.fetch_one(
        "select max(n) as n from (select sum(documents) as n from search.dirty group by xmin) as t"
    )
    assert most["n"] <= 5000
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="5,000"):
        await db.execute(
            "select fortnite.compute_performance(%s, array(select generate_series(1, 5001)))", [NOW]
        )
