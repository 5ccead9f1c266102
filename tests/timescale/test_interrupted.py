"""A refresh that dies at any moment, and refreshes and writers at once: nothing is lost, nothing is counted twice."""

import asyncio
import random
from datetime import timedelta

import psycopg

from etl.engine import timeseries
from etl.engine.database import open_database
from tests.timescale.conftest import Ground
from tests.timescale.model import STEP, at, check, put, raw, series

START = at("2026-11-20 00:00")


async def test_a_refresh_cancelled_again_and_again_ends_equal(ground: Ground) -> None:
    await put(ground.db, series(START, range(200)))
    await timeseries.refresh(ground.db)
    await put(ground.db, series(START, range(300), island=2))
    patience = 0.002
    while True:
        try:
            async with asyncio.timeout(patience):
                await timeseries.refresh(ground.db)
            break
        except TimeoutError:
            patience *= 1.5
    await check(ground.db)


async def test_a_refresh_that_dies_between_its_steps_is_gone_on_with(ground: Ground) -> None:
    await put(ground.db, series(START, range(300)))
    await ground.db.execute("select engine.close_buckets('fortnite.ccu_hourly', null)")
    await check(ground.db)
    await put(ground.db, series(START, [999], island=7))
    await check(ground.db)  # the hour is closed but not stored: still aggregated when read
    await timeseries.refresh(ground.db)
    await check(ground.db)
    assert (await ground.db.fetch("select * from engine.late")) == []


async def test_a_connection_killed_during_a_refresh_loses_nothing(crowd: Ground) -> None:
    luck = random.Random(5)
    await put(crowd.db, series(START, range(600)))
    for attempt in range(8):
        await put(crowd.db, series(START + STEP * 6 * attempt, range(60), island=attempt))
        async with open_database(crowd.url, size=1, name="victim") as victim:
            refreshing = asyncio.create_task(timeseries.refresh(victim))
            await asyncio.sleep(luck.uniform(0, 0.1))
            await crowd.db.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'victim' and datname = current_database()"
            )
            await asyncio.wait([refreshing])
            assert refreshing.exception() is None or isinstance(
                refreshing.exception(), psycopg.OperationalError
            )
    await timeseries.refresh(crowd.db)
    await check(crowd.db)


async def test_a_refresh_waits_for_the_one_that_runs(crowd: Ground) -> None:
    await put(crowd.db, series(START, range(200)))
    async with crowd.db.connection() as conn:
        await conn.execute(timeseries.LOCK)
        second = asyncio.create_task(timeseries.refresh(crowd.db))
        done, _ = await asyncio.wait([second], timeout=0.3)
        assert not done
        await conn.execute(timeseries.UNLOCK)
    await second
    await check(crowd.db)


async def test_a_row_in_flight_when_its_hour_is_closed_is_not_lost(crowd: Ground) -> None:
    await put(crowd.db, series(START, range(7)))
    async with crowd.db.connection() as writer, writer.transaction():
        await writer.execute("insert into fortnite.ccu values (%s, 2, 5)", [START])
        refreshing = asyncio.create_task(timeseries.refresh(crowd.db))
        done, _ = await asyncio.wait([refreshing], timeout=0.3)
        assert not done, "the hour was closed under a writer"
    assert (await refreshing).hourly == 1
    await check(crowd.db)


async def test_a_row_that_commits_after_its_hour_was_stored_is_late(crowd: Ground) -> None:
    await put(crowd.db, series(START, range(7)))
    await timeseries.refresh(crowd.db)
    async with crowd.db.connection() as writer, writer.transaction():
        await writer.execute("insert into fortnite.ccu values (%s, 2, 5)", [START])
        assert (await timeseries.refresh(crowd.db)).hourly == 0
    assert (await timeseries.refresh(crowd.db)).hourly == 1
    await check(crowd.db)


async def test_writers_and_refreshes_at_once_end_equal(crowd: Ground) -> None:
    luck = random.Random(11)
    await put(crowd.db, series(START, [0] * 3 * 144))

    async def write(island: int) -> None:
        for _ in range(25):
            start = START + STEP * luck.randrange(3 * 144)
            values = [luck.randrange(100) for _ in range(luck.randrange(1, 15))]
            await put(crowd.db, series(start, values, island))
            if luck.random() < 0.2:
                await crowd.db.execute(
                    "delete from fortnite.ccu where island_id = %s and ts = %s", [island, start]
                )

    async def refresh() -> None:
        for _ in range(10):
            await timeseries.refresh(crowd.db)
            await asyncio.sleep(0)

    await asyncio.gather(*(write(n) for n in range(1, 4)), write(1), refresh(), refresh())
    await timeseries.refresh(crowd.db)
    await check(crowd.db)
    assert len(await raw(crowd.db)) > 3 * 144


async def test_a_reader_never_sees_half_of_a_refresh(crowd: Ground) -> None:
    islands = 400
    await put(crowd.db, {(START + STEP * n, i): 1 for n in range(13) for i in range(islands)})
    await timeseries.ensure_partitions(crowd.db, at=START)
    stop = asyncio.Event()

    async def read() -> int:
        reads = 0
        while not stop.is_set():
            row = await crowd.db.fetch_one(
                "select sum(samples) as samples, count(*) as buckets from fortnite.ccu_hourly"
            )
            assert row == {"samples": 13 * islands, "buckets": 3 * islands}
            reads += 1
        return reads

    reading = asyncio.create_task(read())
    await timeseries.refresh(crowd.db)
    await asyncio.sleep(timedelta(milliseconds=50).total_seconds())
    stop.set()
    assert await reading > 0
