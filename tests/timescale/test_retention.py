"""What goes with age: said exactly before, seen in ops.retention, and never in anybody's way."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from etl.engine import ages, timeseries
from etl.engine.database import Database
from etl.pipelines import AGED
from etl.settings import Settings
from tests.clock import set_ahead
from tests.timescale.conftest import Ground
from tests.timescale.model import DAY, check, daily, hourly, put, raw, series

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
OPTIONS = Settings(
    ccu_retention_days=30,
    ccu_hourly_retention_days=60,
    ccu_compression_days=7,
    rejected_retention_days=20,
    run_retention_days=20,
    fortnite_metrics_fine_days=20,
)
ROWS = """
insert into raw.rejected (resource, fetched_at, reason, rejected_at)
select 'x', now(), 'y', now() - n * interval '1 day' from generate_series(1, 25) as n;
insert into ops.run (task, worker, attempt, started_at)
select 'x', 'w', 1, now() - n * interval '1 day' from generate_series(15, 23) as n;
insert into fortnite.island_metric (island_id, ts, bucket_minutes, partial, read_at)
select 1, date_trunc('day', now()) - n * interval '1 day', m, false, now()
from generate_series(18, 22) as n cross join unnest('{10,60,1440}'::integer[]) as m;
"""
EMPTY = "truncate ops.run; truncate fortnite.island_metric"


async def fill(db: Database) -> None:
    for age in (100, 61, 45, 31, 29, 8, 1, 0):
        await put(db, series(NOW - age * DAY, [age, 2, 3]))
        await timeseries.refresh(db)
    async with db.connection() as conn:
        await conn.execute(EMPTY)
        await conn.execute(ROWS)


async def counts(db: Database) -> Counter[str]:
    row = await db.fetch_one(
        'select (select count(*) from fortnite.ccu) as "fortnite.ccu",'
        ' (select count(*) from fortnite.ccu_hourly_store) as "fortnite.ccu_hourly",'
        ' (select count(*) from fortnite.ccu_daily_store) as "fortnite.ccu_daily",'
        ' (select count(*) from raw.rejected) as "raw.rejected",'
        ' (select count(*) from ops.run) as "ops.run",'
        ' (select count(*) from fortnite.island_metric) as "fortnite.island_metric"'
    )
    return Counter(row)


async def partitions(db: Database) -> dict[str, bool]:
    rows = await db.fetch(
        "select p.partition::text as name, p.compressed"
        " from engine.series as s cross join lateral engine.partitions(s.store, s.width) as p"
    )
    return {row["name"]: row["compressed"] for row in rows}


async def test_a_dry_run_says_exactly_what_would_go(ground: Ground) -> None:
    await fill(ground.db)
    rows, before = await counts(ground.db), await partitions(ground.db)
    days = await daily(ground.db)
    going = await ages.plan(ground.db, OPTIONS, AGED)
    assert (await counts(ground.db), await partitions(ground.db)) == (rows, before)

    numbers = await ages.retain(ground.db, OPTIONS, AGED)
    gone = Counter[str]()
    for one in going:
        gone[one.relation] += one.rows if one.how != "compress" else 0
    after = await partitions(ground.db)
    assert gone == Counter(rows) - Counter(await counts(ground.db))
    assert {one.partition for one in going if one.how == "drop"} == before.keys() - after.keys()
    assert {one.partition for one in going if one.how == "compress"} == {
        name for name, compressed in after.items() if compressed
    }
    assert numbers["partitions_dropped"] == len(before) - len(after) == 6
    assert {name: n for name, n in numbers.items() if "." in name} == {
        table.relation: gone[table.relation] for table in AGED
    }
    assert gone["raw.rejected"] == 6
    assert gone["ops.run"] == 4
    assert gone["fortnite.island_metric"] == 6
    assert await ages.plan(ground.db, OPTIONS, AGED) == []
    assert await daily(ground.db) == days


async def test_a_worker_whose_clock_is_wrong_lets_go_of_no_more(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(ground.db, series(NOW - 20 * DAY, [1, 2, 3]))
    with monkeypatch.context() as skewed:
        set_ahead(skewed, 400 * DAY)
        assert all(one.how == "compress" for one in await ages.plan(ground.db, OPTIONS, ()))
        assert (await timeseries.retain(ground.db, OPTIONS)).dropped == 0
    assert (await counts(ground.db))["fortnite.ccu"] == 3


async def test_ops_retention_says_what_is_there_and_when_it_goes(ground: Ground) -> None:
    await fill(ground.db)
    said = {row["relation"]: row for row in await ground.db.fetch("select * from ops.retention")}
    assert {row["next_drop_at"] for row in said.values()} == {None}
    await ages.retain(ground.db, OPTIONS, AGED)
    await ground.db.execute("analyze")
    rows = await counts(ground.db)
    said = {row["relation"]: row for row in await ground.db.fetch("select * from ops.retention")}
    for relation in ("fortnite.ccu", "fortnite.ccu_hourly", "fortnite.ccu_daily", "raw.rejected"):
        assert said[relation]["rows"] == rows[relation], relation
        assert said[relation]["bytes"] > 0
    timescale = ground.name != "plain"
    ccu = said["fortnite.ccu"]
    midnight = NOW.replace(hour=0)
    assert (ccu["kept_days"], ccu["compressed_days"]) == (30, 7)
    assert ccu["oldest"] == midnight - 29 * DAY
    assert ccu["next_drop_at"] == ccu["oldest"] + DAY + 30 * DAY
    assert ccu["partitions"] == 4 if timescale else ccu["partitions"] >= 4
    old = sum(ts < midnight - 7 * DAY for ts, _ in await raw(ground.db))
    assert ccu["compressed"] == (round(old / rows["fortnite.ccu"], 6) if timescale else 0)
    days = said["fortnite.ccu_daily"]
    assert (days["kept_days"], days["next_drop_at"], days["compressed"]) == (None, None, None)
    rejected = said["raw.rejected"]
    assert rejected["kept_days"] == 20
    assert timedelta(0) < rejected["next_drop_at"] - datetime.now(UTC) < DAY
    levels = await ground.db.fetch("select relation from engine.series")
    assert said.keys() == {row["relation"] for row in levels} | {one.relation for one in AGED}


async def test_hours_kept_for_less_than_samples_take_none_with_them(ground: Ground) -> None:
    for age in (50, 40, 0):
        await put(ground.db, series(NOW - age * DAY, [age, 2, 3]))
    samples, days = await raw(ground.db), await daily(ground.db)
    short = Settings(ccu_retention_days=60, ccu_hourly_retention_days=45)
    for _ in range(2):
        await timeseries.retain(ground.db, short)
        assert await raw(ground.db) == samples
        assert min(await hourly(ground.db))[0] == NOW - 40 * DAY
        assert await daily(ground.db) == days


async def test_nobody_waits_behind_a_drop_that_waits_for_a_long_query(crowd: Ground) -> None:
    db = crowd.db
    await put(db, series(NOW - 40 * DAY, [1, 2, 3]))
    await put(db, series(NOW - 8 * DAY, [1, 2, 3]))
    await put(db, series(NOW, [4]))
    truth = await raw(db)
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(db.connection())
        await stack.enter_async_context(reader.transaction())
        await reader.execute("select count(*) from fortnite.ccu")
        retaining = asyncio.create_task(timeseries.retain(db, OPTIONS))
        waits = []
        async with db.connection() as writer:
            # Longer than a drop waits, shorter than it would wait for the query.
            await writer.execute("set lock_timeout = '700ms'")
            while not retaining.done():
                start = asyncio.get_running_loop().time()
                await writer.execute(
                    "insert into fortnite.ccu values (%s, 1, 9)"
                    " on conflict (ts, island_id) do update set ccu = excluded.ccu",
                    [NOW],
                )
                await writer.execute("select count(*) from fortnite.ccu")
                waits.append(asyncio.get_running_loop().time() - start)
            await writer.execute("reset lock_timeout")
        assert (await retaining).dropped == 0
        assert len(waits) > 10
        assert len(await raw(db)) == len(truth)
    assert (await timeseries.retain(db, OPTIONS)).dropped == 1
    await check(db, truth | {(NOW, 1): 9})
