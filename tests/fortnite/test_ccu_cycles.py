"""Which islands a cycle asks for, and what becomes of cycles that died."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from etl.engine.database import Database
from tests.fortnite.test_ccu_store import HOUR, TS, store
from tests.timescale.model import DAY, STEP


async def candidates(db: Database, top: int) -> list[str]:
    rows = await db.fetch("select c.code from fortnite.ccu_candidates(%s) as c (code)", [top])
    return sorted(row["code"] for row in rows)


async def asked(
    db: Database, ts: datetime, counts: Mapping[str, int | None], *, expected: int | None = None
) -> None:
    """A cycle that asked for islands by code."""
    await db.execute(
        "select fortnite.open_cycle(%s, 'entries', %s)",
        [ts, len(counts) if expected is None else expected],
    )
    await store(db, ts, counts)
    await db.execute("select fortnite.close_cycle(%s, 'entries', %s)", [ts, expected is None])


async def performed(db: Database, averages: Mapping[str, float], coverage: float = 1) -> None:
    await db.execute(
        "insert into fortnite.island_performance (island_id, computed_at, avg_7d, coverage_7d)"
        " select i.island_id, %s, u.average, %s from fortnite.island as i"
        " join unnest(%s::text[], %s::real[]) as u (code, average) using (code)",
        [TS, coverage, list(averages), list(averages.values())],
    )


async def test_candidates_are_the_popular_and_the_played(db: Database) -> None:
    await store(db, TS - 24 * HOUR, {"lately": 9, "popular": 900, "gone": 50})
    await store(db, TS, {"played": 1, "empty": 0, "popular": 0, "gone": 5})
    await performed(db, {"popular": 450, "lately": 9})
    await db.execute("update fortnite.island set gone_at = now() where code = 'gone'")
    assert await candidates(db, 0) == ["played"]
    assert await candidates(db, 1) == ["played", "popular"]
    assert await candidates(db, 10) == ["lately", "played", "popular"]


async def test_an_average_over_too_few_samples_ranks_no_island(db: Database) -> None:
    await store(db, TS - 24 * HOUR, {"lucky": 9000, "steady": 5, "tied": 5})
    await store(db, TS, {"other": 1})
    await performed(db, {"lucky": 9000}, coverage=0.05)
    await performed(db, {"steady": 5, "tied": 5}, coverage=0.2)
    assert await candidates(db, 1) == ["other", "steady"]
    assert await candidates(db, 9) == ["other", "steady", "tied"]


@pytest.mark.parametrize("outage", [STEP, 30 * HOUR])
async def test_an_outage_of_the_route_by_code_loses_no_island(
    db: Database, outage: timedelta
) -> None:
    await asked(db, TS - 4 * STEP, {"same": 7, "moved": 6, "away": 5})
    await asked(db, TS, {"same": 7, "moved": 9, "away": None})
    # Pages of creators go on, requests by code fail: altogether, or nearly.
    ts = TS
    while ts < TS + outage:
        ts += STEP
        await store(db, ts, {"page": 3}, "creator_page")
        await asked(db, ts, {"moved": 9} if ts == TS + STEP else {}, expected=3)
    assert await candidates(db, 0) == ["away", "moved", "page", "same"]
    # It is back, and answers nothing for one of them: which is given up an hour later.
    await asked(db, ts + STEP, {"same": 7, "moved": 9, "page": 3, "away": None})
    assert await candidates(db, 0) == ["away"] * (outage < HOUR) + ["moved", "page", "same"]
    await asked(db, ts + 2 * HOUR, {"same": 7})
    assert await candidates(db, 0) == ["same"]


async def test_what_a_silent_service_had_last_is_asked_for_after_days(db: Database) -> None:
    await asked(db, TS - 3 * DAY, {"a": 7, "b": 0})
    assert await candidates(db, 0) == ["a"]


async def cycles(db: Database) -> list[tuple[datetime, str, int, int, bool, bool]]:
    rows = await db.fetch("select * from fortnite.ccu_cycle order by ts, source")
    return [
        (
            r["ts"],
            r["source"],
            r["observed"],
            r["negative"],
            r["complete"],
            r["finished_at"] is None,
        )
        for r in rows
    ]


async def test_cycles_that_died_are_counted_when_the_next_opens(db: Database) -> None:
    for source in ("entries", "creator_page"):
        await db.execute("select fortnite.open_cycle(%s, %s, 9)", [TS, source])
        await store(db, TS, {"a": 1, "b": 2, "c": -1}, source)
        await store(db, TS, {"d": 4}, source)
    await db.execute("select fortnite.open_cycle(%s, 'entries', 9)", [TS + STEP])
    await db.execute("select fortnite.open_cycle(%s, 'entries', 9)", [TS + 2 * STEP])
    await store(db, TS + 2 * STEP, {"a": 1})
    assert await cycles(db) == [
        (TS, "creator_page", 0, 0, False, True),
        (TS, "entries", 3, 1, False, False),
        (TS + STEP, "entries", 0, 0, False, False),
        (TS + 2 * STEP, "entries", 0, 0, False, True),
    ]
    left = await db.fetch("select distinct ts, source from fortnite.ccu_batch order by ts")
    assert [tuple(row.values()) for row in left] == [
        (TS, "creator_page"),
        (TS + 2 * STEP, "entries"),
    ]


async def test_a_cycle_taken_for_dead_adds_what_it_had_left_at_its_end(db: Database) -> None:
    await db.execute("select fortnite.open_cycle(%s, 'entries', 3)", [TS])
    await store(db, TS, {"a": 1, "b": -1})
    await db.execute("select fortnite.open_cycle(%s, 'entries', 3)", [TS + STEP])
    await store(db, TS, {"c": 1})
    await db.execute("select fortnite.close_cycle(%s, 'entries', true)", [TS])
    assert (await cycles(db))[0] == (TS, "entries", 2, 1, True, False)
    # ... and where it dies after all, the one after that counts it
    await store(db, TS, {"d": 1})
    await db.execute("select fortnite.open_cycle(%s, 'entries', 3)", [TS + 2 * STEP])
    assert (await cycles(db))[0] == (TS, "entries", 3, 1, True, False)
