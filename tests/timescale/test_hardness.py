"""What a time series meets: sessions elsewhere on earth, waits that are cancelled, other isolations, one new day."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest

from etl.engine import timeseries
from etl.engine.database import Database, open_database
from tests.timescale.conftest import Ground
from tests.timescale.model import DAY, at, check, put, raw, series

START = at("2026-11-20 00:00")
WAITING = """
select 1 from pg_locks as l inner join pg_database as d on l.database = d.oid
where d.datname = current_database() and l.locktype = 'advisory' and not l.granted
"""


async def test_a_day_has_24_hours_wherever_the_session_is(ground: Ground) -> None:
    """New York puts its clocks back on 2026-11-01 and forward on 2027-03-14: days of 25 and of 23 hours there."""
    if ground.name == "wasm":  # one session is all there is
        await _away(ground, ground.db)
        return
    async with open_database(ground.url, size=1) as db:
        await _away(ground, db)


async def _away(ground: Ground, db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("set timezone = 'America/New_York'")
    for day in ("2026-10-31 20:00", "2027-03-13 20:00"):
        await put(db, series(at(day), range(2 * 144)))
        await timeseries.refresh(db)
        await put(db, series(at(day) + timedelta(hours=5), [500], island=2))
        await timeseries.refresh(db)
    async with db.connection() as conn:
        await conn.execute("set timezone = 'UTC'")
    await check(ground.db)


async def test_a_cancelled_wait_keeps_no_refresh_from_running(crowd: Ground) -> None:
    await put(crowd.db, series(START, range(20)))
    async with open_database(crowd.url, size=1) as other:
        for _ in range(10):
            async with crowd.db.connection() as holder:
                await holder.execute(timeseries.LOCK)
                waiting = asyncio.create_task(timeseries.refresh(other))
                while not await crowd.db.fetch(WAITING):
                    pass
                # It gets the lock and is told so, but does not listen any more.
                await holder.execute(timeseries.UNLOCK)
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
            async with asyncio.timeout(10):
                await timeseries.refresh(crowd.db)
    await check(crowd.db)


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_a_writer_that_could_not_see_a_bucket_close_is_refused(
    crowd: Ground, isolation: str
) -> None:
    await put(crowd.db, series(START, range(5)))
    async with crowd.db.connection() as writer:
        await writer.execute(f"begin isolation level {isolation}".encode())
        await writer.execute("select count(*) from fortnite.ccu")  # what it sees from now on
        await put(crowd.db, series(START + timedelta(hours=1), [7]))
        await timeseries.refresh(crowd.db)
        for statement in (
            "insert into fortnite.ccu values ('2026-11-20 00:50+00', 1, 99)",
            "update fortnite.ccu set ccu = 98 where ts = '2026-11-20 00:00+00'",
            "delete from fortnite.ccu where ts = '2026-11-20 00:00+00'",
        ):
            await writer.execute("savepoint before")
            with pytest.raises(psycopg.errors.InvalidTransactionState, match="read committed"):
                await writer.execute(statement.encode())
            await writer.execute("rollback to before")
        await writer.execute("commit")
    await timeseries.refresh(crowd.db)
    await check(crowd.db)


async def test_workers_that_wake_to_one_new_day_insert_at_once(crowd: Ground) -> None:
    codes = [f"island-{n}" for n in range(6)]
    for ahead in (1, 2, 33):
        await asyncio.gather(
            *(
                crowd.db.fetch(
                    "select * from fortnite.store_ccu(%s, 'entries', %s, '{5}')",
                    [START + ahead * DAY, [code]],
                )
                for code in codes
            ),
            timeseries.ensure_partitions(crowd.db, at=START + ahead * DAY),
        )
    assert len(await raw(crowd.db)) == 18
    await timeseries.refresh(crowd.db)
    await check(crowd.db)
