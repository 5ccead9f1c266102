"""What is old: made room for, compressed, refused, dropped; what was made of it stays."""

from datetime import timedelta

import psycopg
import pytest

from etl.engine import timeseries
from etl.engine.timeseries import Refreshed
from etl.settings import Settings
from tests.timescale.conftest import Ground
from tests.timescale.model import DAY, at, check, daily, hourly, put, raw, series

NOW = at("2026-11-20 12:00")
OPTIONS = Settings(ccu_retention_days=30, ccu_hourly_retention_days=60, ccu_compression_days=7)


async def test_rollups_outlive_the_samples_they_came_from(ground: Ground) -> None:
    for age in (100, 61, 45, 31, 29, 1, 0):
        await put(ground.db, series(NOW - age * DAY, [age, 2, 3]))
    hours, days = await hourly(ground.db), await daily(ground.db)
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    assert min(await raw(ground.db)) == (NOW - 29 * DAY, 1)
    kept = {key: row for key, row in hours.items() if key[0] >= NOW - 59 * DAY}
    assert await hourly(ground.db) == kept
    assert await daily(ground.db) == days
    assert (await timeseries.retain(ground.db, OPTIONS, at=NOW)).dropped == 0
    assert await timeseries.refresh(ground.db) == Refreshed(
        2, 2
    )  # those of 29 days ago and of yesterday
    assert await timeseries.refresh(ground.db) == Refreshed(0, 0)
    assert await hourly(ground.db) == kept
    assert await daily(ground.db) == days


async def test_what_is_late_when_it_is_dropped_is_computed_first(ground: Ground) -> None:
    await put(ground.db, series(NOW - 40 * DAY, [1, 2, 3]))
    await put(ground.db, series(NOW, [4]))
    await timeseries.refresh(ground.db)
    await put(ground.db, series(NOW - 40 * DAY, [7], island=2))
    truth = await raw(ground.db)
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    assert len(await raw(ground.db)) == 1
    await check(ground.db, truth)


async def test_samples_older_than_all_others_are_stored_before_they_go(ground: Ground) -> None:
    await put(ground.db, series(NOW - 40 * DAY, [1, 2, 3]))
    truth = await raw(ground.db)
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    assert await raw(ground.db) == {}
    await check(ground.db, truth)


async def test_a_retention_that_died_after_raising_the_floor_is_gone_on_with(
    ground: Ground,
) -> None:
    await put(ground.db, series(NOW - 40 * DAY, [1, 2, 3]))
    await put(ground.db, series(NOW, [4]))
    await timeseries.refresh(ground.db)
    await put(ground.db, series(NOW - 40 * DAY, [7], island=2))
    await ground.db.execute("select engine.raise_floor('fortnite.ccu', %s)", [NOW - 30 * DAY])
    await ground.db.execute("select engine.raise_kept('fortnite.ccu', %s)", [NOW - 30 * DAY])
    await ground.db.execute("select engine.drop_oldest('fortnite.ccu')")
    await timeseries.refresh(ground.db)
    await check(ground.db)
    truth = await raw(ground.db)
    assert len(truth) == 5
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    await check(ground.db, truth)


async def test_an_older_sample_is_refused_and_empties_nothing(ground: Ground) -> None:
    await put(ground.db, series(NOW - 40 * DAY, [1, 2, 3]))
    await put(ground.db, series(NOW, [4]))
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    days = await daily(ground.db)
    for _ in range(2):
        row = await ground.db.fetch_one(
            "select * from fortnite.store_ccu(%s, 'entries', '{a,b,c}', '{5,-1,0}')",
            [NOW - 40 * DAY],
        )
        assert row == {"stored": 0, "skipped": 1, "discovered": row["discovered"]}
    await timeseries.refresh(ground.db)
    assert await daily(ground.db) == days
    rejected = await ground.db.fetch(
        "select key, fetched_at, reason, convert_from(body, 'UTF8')::json ->> 'ccu' as ccu"
        " from raw.rejected where resource = 'fortnite.ccu' order by key"
    )
    assert [(row["key"], row["ccu"]) for row in rejected] == [("a", "5"), ("c", "0")]
    assert {row["fetched_at"] for row in rejected} == {NOW - 40 * DAY}
    assert "2026-10-21" in rejected[0]["reason"]


async def test_a_row_written_below_the_floor_by_hand_empties_nothing(ground: Ground) -> None:
    await put(ground.db, series(NOW - 70 * DAY, [1, 2, 3]))
    await put(ground.db, series(NOW - 40 * DAY, [1, 2, 3]))
    await put(ground.db, series(NOW, [4]))
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    hours, days = await hourly(ground.db), await daily(ground.db)
    for age in (70, 40):
        await put(ground.db, series(NOW - age * DAY, [9], island=2))
        await timeseries.refresh(ground.db)
    assert await hourly(ground.db) == hours
    assert await daily(ground.db) == days


async def test_late_rows_reach_what_is_compressed(ground: Ground) -> None:
    for age in (20, 10, 1):
        for island in range(1, 4):
            await put(ground.db, series(NOW - age * DAY, [1, 2, 3], island))
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    for _ in range(2):
        await put(ground.db, series(NOW - 20 * DAY, [9, 9, 9, 9], island=2))
        await put(ground.db, series(NOW - 10 * DAY, [5], island=8))
        await ground.db.execute(
            "delete from fortnite.ccu where ts >= %s and ts < %s and island_id = 3",
            [NOW - 20 * DAY, NOW - 19 * DAY],
        )
        await timeseries.refresh(ground.db)
        await check(ground.db)
        await timeseries.retain(ground.db, OPTIONS, at=NOW)
        await check(ground.db)


async def test_a_late_batch_reaches_many_compressed_rows(ground: Ground) -> None:
    # A statement that touches more than 100,000 compressed rows is refused unless somebody lets it.
    codes = [f"{n:04d}" for n in range(1500)]
    store = "select * from fortnite.store_ccu(%s, 'entries', %s, %s)"
    start = NOW - 20 * DAY
    await ground.db.fetch(store, [start, codes, [1] * len(codes)])
    await ground.db.execute(
        "insert into fortnite.ccu select %s + n * interval '10 minutes', i.island_id, n"
        " from fortnite.island as i cross join generate_series(1, 69) as n",
        [start],
    )
    await ground.db.fetch(store, [NOW, codes, [2] * len(codes)])
    await timeseries.retain(ground.db, OPTIONS, at=NOW)
    late = start + timedelta(minutes=20)
    await ground.db.fetch(store, [late, codes, [500] * len(codes)])
    await timeseries.refresh(ground.db)
    assert (await hourly(ground.db))[start, 1].peak == 500
    record = await ground.db.fetch_one("select distinct ccu, recorded_at from fortnite.ccu_record")
    assert record == {"ccu": 500, "recorded_at": late}


async def test_room_is_made_ahead_and_on_demand(ground: Ground) -> None:
    store = "select * from fortnite.store_ccu(%s, 'entries', '{a}', '{5}')"
    for moment in (NOW, NOW + 31 * DAY, NOW - 3 * DAY):
        await ground.db.fetch(store, [moment])
    await timeseries.ensure_partitions(ground.db, at=NOW + 60 * DAY)
    await timeseries.ensure_partitions(ground.db, at=NOW + 60 * DAY)
    await ground.db.execute("insert into fortnite.ccu values (%s, 1, 3)", [NOW + 63 * DAY])
    await timeseries.refresh(ground.db)
    await check(ground.db)


async def test_no_partition_takes_what_no_partition_was_made_for(crowd: Ground) -> None:
    if crowd.name == "plain":
        with pytest.raises(psycopg.errors.CheckViolation, match="no partition"):
            await crowd.db.execute("insert into fortnite.ccu values (%s, 1, 3)", [NOW - 200 * DAY])
