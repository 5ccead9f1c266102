"""Storing samples: what is known of an island afterwards, in whatever order cycles come."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.engine import timeseries
from etl.engine.database import Database
from tests import marks
from tests.timescale.conftest import clean
from tests.timescale.model import STEP, at

TS = at("2026-11-20 10:00")
HOUR = timedelta(hours=1)


async def store(
    db: Database, ts: datetime, counts: Mapping[str, int | None], source: str = "entries"
) -> dict[str, int]:
    return await db.fetch_one(
        "select * from fortnite.store_ccu(%s, %s, %s::text[], %s::int[])",
        [ts, source, list(counts), list(counts.values())],
    )


async def now(db: Database, code: str = "a") -> tuple[int, datetime, int, datetime, datetime]:
    """Latest CCU and its cycle, record and its cycle, first cycle."""
    row = await db.fetch_one(
        "select n.ccu, n.ts, r.ccu as record, r.recorded_at, r.since from fortnite.island as i"
        " join fortnite.island_now as n using (island_id)"
        " join fortnite.ccu_record as r using (island_id) where i.code = %s",
        [code],
    )
    return (row["ccu"], row["ts"], row["record"], row["recorded_at"], row["since"])


async def samples(db: Database) -> dict[tuple[str, datetime], int]:
    rows = await db.fetch(
        "select i.code, c.ts, c.ccu from fortnite.ccu as c join fortnite.island as i using (island_id)"
    )
    return {(row["code"], row["ts"]): row["ccu"] for row in rows}


async def marked(db: Database) -> set[str]:
    """Documents marked since the last call."""
    rows = await db.fetch(marks.TAKE)
    return {row["id"] for row in rows}


async def test_zero_is_stored_and_what_is_no_sample_is_counted(db: Database) -> None:
    assert await store(db, TS, {"a": 5, "b": 0, "c": -1, "d": None}) == {
        "stored": 2,
        "skipped": 2,
        "discovered": 2,
    }
    assert await samples(db) == {("a", TS): 5, ("b", TS): 0}


async def test_unknown_islands_are_added_with_their_source_and_crawled_first(db: Database) -> None:
    await store(db, TS, {"a": 5}, "creator_page")
    row = await db.fetch_one(
        "select i.source, i.first_seen_at, c.class, c.due_at <= now() as due from fortnite.island as i"
        " join engine.crawl as c on c.resource = 'fortnite.island' and c.key = i.code"
    )
    assert row == {"source": "creator_page", "first_seen_at": TS, "class": 0, "due": True}
    assert await marked(db) == {"a"}
    assert (await store(db, TS + STEP, {"a": 5}))["discovered"] == 0


async def test_a_repeated_cycle_overwrites_itself(db: Database) -> None:
    for counts in ({"a": 5, "b": 7}, {"a": 6, "b": 7, "c": 1}, {"a": 6, "b": 7, "c": 1}):
        await store(db, TS, counts)
    assert await samples(db) == {("a", TS): 6, ("b", TS): 7, ("c", TS): 1}
    assert (await now(db))[:2] == (6, TS)


async def test_the_last_of_two_values_for_an_island_counts(db: Database) -> None:
    row = await db.fetch_one(
        "select * from fortnite.store_ccu(%s, 'x', '{a,b,a}', '{5,1,9}')", [TS]
    )
    assert row == {"stored": 2, "skipped": 0, "discovered": 2}
    assert await samples(db) == {("a", TS): 9, ("b", TS): 1}


async def test_an_empty_batch_is_no_harm(db: Database) -> None:
    for counts in ({}, {"a": -1}):
        row = await store(db, TS, counts)
        assert row == {"stored": 0, "skipped": len(counts), "discovered": 0}


async def test_a_cycle_counts_each_batch_once(db: Database) -> None:
    for _ in range(2):
        await db.execute("select fortnite.open_cycle(%s, 'entries', 5)", [TS])
        for counts in ({"a": 5, "b": -1}, {"a": 5, "b": -1}, {"c": 1, "d": 2, "e": 3}):
            await store(db, TS, counts)
        for _ in range(2):
            await db.execute("select fortnite.close_cycle(%s, 'entries', true)", [TS])
        row = await db.fetch_one("select * from fortnite.ccu_cycle")
        assert (row["expected"], row["observed"], row["negative"]) == (5, 4, 1)
        assert row["complete"]
        assert row["finished_at"] is not None
    assert await db.fetch("select * from fortnite.ccu_batch") == []


async def test_a_cycle_that_was_not_opened_cannot_be_closed(db: Database) -> None:
    with pytest.raises(psycopg.errors.NoDataFound, match="open_cycle first"):
        await db.execute("select fortnite.close_cycle(%s, 'entries', true)", [TS])


async def test_instants_between_steps_are_refused(db: Database) -> None:
    off = TS + timedelta(seconds=1)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="ten-minute step"):
        await db.execute("select fortnite.open_cycle(%s, 'entries', 5)", [off])
    with pytest.raises(psycopg.errors.CheckViolation):
        await store(db, off, {"a": 1})


async def test_codes_and_values_must_pair(db: Database) -> None:
    with pytest.raises(psycopg.errors.ArraySubscriptError, match="2 codes but 1 values"):
        await db.execute("select fortnite.store_ccu(%s, 'entries', '{a,b}', '{1}')", [TS])


async def test_a_batch_has_5000_islands_at_most(db: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="5001 codes"):
        await store(db, TS, {f"{n:04d}": 1 for n in range(5001)})
    assert await store(db, TS, {f"{n:04d}": 1 for n in range(5000)}) == {
        "stored": 5000,
        "skipped": 0,
        "discovered": 5000,
    }


async def test_the_record_is_the_first_cycle_that_reached_it(db: Database) -> None:
    for n, ccu in enumerate([3, 9, 2, 9, 4]):
        await store(db, TS + n * STEP, {"a": ccu})
    assert await now(db) == (4, TS + 4 * STEP, 9, TS + STEP, TS)


async def test_late_samples_correct_the_record_upward_alone(db: Database) -> None:
    for n, ccu in enumerate([3, 9, 2]):
        await store(db, TS + n * STEP, {"a": ccu})
    for late, ccu, record in (
        (TS - HOUR, 8, (9, TS + STEP)),
        (TS - 2 * HOUR, 9, (9, TS - 2 * HOUR)),
        (TS - HOUR, 9, (9, TS - 2 * HOUR)),
        (TS - 3 * HOUR, 30, (30, TS - 3 * HOUR)),
        (TS - 3 * HOUR, 1, (30, TS - 3 * HOUR)),
    ):
        await store(db, late, {"a": ccu})
        assert (await now(db))[2:4] == record
    assert await now(db) == (2, TS + 2 * STEP, 30, TS - 3 * HOUR, TS - 3 * HOUR)


@pytest.mark.parametrize("stored", [False, True])
async def test_a_late_sample_is_the_latest_only_where_nothing_came_after(
    db: Database, *, stored: bool
) -> None:
    await store(db, TS, {"a": 5, "b": 5, "c": 5})
    await store(db, TS + STEP, {"a": 5})
    await store(db, TS + 3 * HOUR, {"d": 1})
    if stored:
        await timeseries.refresh(db)
    await store(db, TS, {"a": 7, "b": 8})
    await store(db, TS + 2 * STEP, {"c": 6})
    assert (await now(db, "a"))[:2] == (5, TS + STEP)
    assert (await now(db, "b"))[:2] == (8, TS)
    assert (await now(db, "c"))[:2] == (6, TS + 2 * STEP)


async def test_an_unchanged_count_writes_nothing(db: Database) -> None:
    await store(db, TS, {"a": 5, "b": 0})
    before = await db.fetch("select xmin::text, * from fortnite.island_now order by island_id")
    await store(db, TS + STEP, {"a": 5, "b": 0})
    assert (
        await db.fetch("select xmin::text, * from fortnite.island_now order by island_id") == before
    )


async def test_documents_are_marked_when_their_count_moved_enough(db: Database) -> None:
    for n, counts, told in (
        (-1, dict.fromkeys("abcd", 1000), {"a", "b", "c", "d"}),
        (0, {"a": 100, "b": 10, "c": 0, "d": 1}, {"a", "b", "c", "d"}),
        (1, {"a": 109, "b": 14, "c": 0, "d": 2}, set()),
        (2, {"a": 110, "b": 15, "c": 1, "d": 0}, {"a", "b", "c", "d"}),
        (3, {"a": 120, "b": 11, "c": 1, "d": 0}, set()),
        (4, {"a": 121, "b": 10, "c": 0, "d": 5}, {"a", "b", "c", "d"}),
        (5, {"a": 109}, {"a"}),
        (6, {"a": 1000}, {"a"}),
        (7, {"a": 1001}, {"a"}),  # a record is told however little it is above the last
        (8, {"a": 1000}, set()),
    ):
        await store(db, TS + n * STEP, counts)
        assert await marked(db) == told, f"cycle {n}"


CYCLES = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.dictionaries(st.sampled_from("abc"), st.integers(-1, 12), min_size=1),
        st.booleans(),
    ),
    max_size=14,
)


@given(cycles=CYCLES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_in_any_order_the_latest_the_record_and_the_first_are_true(
    db: Database, cycles: list[tuple[int, dict[str, int], bool]]
) -> None:
    await clean(db)
    said: dict[str, list[tuple[datetime, int]]] = {}
    for n, counts, refreshed in cycles:
        await store(db, TS + n * STEP, counts)
        for code, ccu in counts.items():
            if ccu >= 0:
                said.setdefault(code, []).append((TS + n * STEP, ccu))
        if refreshed:
            await timeseries.refresh(db)
    held = await samples(db)
    for code, values in said.items():
        ccu, _, record, recorded_at, since = await now(db, code)
        latest = max(ts for c, ts in held if c == code)
        assert ccu == held[code, latest]
        assert record == max(value for _, value in values)
        assert since == min(ts for ts, _ in values)
        assert recorded_at == min(ts for ts, value in values if value == record)


@pytest.mark.parametrize("first", [TS, TS + STEP])
async def test_batches_of_two_cycles_wait_for_each_other(db: Database, first: datetime) -> None:
    await store(db, TS - STEP, {"a": 5})
    await store(db, TS, {"z": 1})
    if first > TS:
        await store(db, first, {"z": 1})
    other = TS if first > TS else TS + STEP
    async with db.connection() as conn:
        async with conn.transaction():
            await conn.execute(
                "select fortnite.store_ccu(%s, 'entries', '{a}', %s)",
                [first, [5 if first > TS else 7]],
            )
            waiting = asyncio.create_task(store(db, other, {"a": 7 if first > TS else 5}))
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done, "a batch of another cycle did not wait"
        await waiting
    assert (await now(db))[0] == 5


async def test_batches_of_one_cycle_do_not_wait_for_each_other(db: Database) -> None:
    await store(db, TS, {"a": 5, "b": 5})
    async with db.connection() as conn, conn.transaction():
        await conn.execute("select fortnite.store_ccu(%s, 'entries', '{a}', '{6}')", [TS])
        async with asyncio.timeout(5):
            await store(db, TS, {"b": 6})


async def test_batches_of_several_cycles_at_once_end_true(db: Database) -> None:
    luck = random.Random(3)
    codes = [f"{n:03d}" for n in range(120)]
    await store(db, TS - STEP, dict.fromkeys(codes, 3))
    batches: list[tuple[datetime, dict[str, int]]] = []
    for n in range(12):
        luck.shuffle(codes)
        batches += [
            (TS + n // 3 * STEP, {code: luck.randrange(4) for code in codes[k : k + 40]})
            for k in range(0, 120, 40)
        ]

    async def lane(own: list[tuple[datetime, dict[str, int]]]) -> None:
        for ts, counts in own:
            await store(db, ts, counts)

    await asyncio.gather(*(lane(batches[k::6]) for k in range(6)))
    held = await samples(db)
    rows: list[dict[str, Any]] = await db.fetch(
        "select i.code, n.ccu from fortnite.island_now as n join fortnite.island as i using (island_id)"
    )
    latest = {code: max(ts for c, ts in held if c == code) for code in codes}
    assert {row["code"]: row["ccu"] for row in rows} == {
        code: held[code, latest[code]] for code in codes
    }
