"""Late rows cost what is late: only its hour, its day and its islands are written again, however long the history."""

from datetime import datetime

from etl.engine import timeseries
from etl.engine.database import Connection, Database
from etl.fortnite import performance
from tests.timescale.conftest import Ground, clean
from tests.timescale.model import DAY, HOUR, STEP, at, check, put

START = at("2026-11-01 00:00")
ISLANDS = 60
CODES = [f"i{n:03d}" for n in range(ISLANDS)]
FOLLOWERS = "island_now", "island_days", "island_performance"
STORE = "select * from fortnite.store_ccu(%s, 'entries', %s, %s)"


async def history(db: Database, days: int) -> None:
    """Every island at two instants of each of three hours a day, all stored."""
    await db.fetch(STORE, [START, CODES, [5] * ISLANDS])
    rows = await db.fetch("select island_id from fortnite.island order by code")
    ids = [row["island_id"] for row in rows]
    await put(
        db,
        {
            (START + n * DAY + h * HOUR + s * STEP, i): 5
            for n in range(days)
            for h in (1, 9, 20)
            for s in (0, 3)
            for i in ids
        },
    )
    await db.fetch(STORE, [START + days * DAY, CODES, [6] * ISLANDS])
    await timeseries.refresh(db)
    assert await performance.compute(db) == ISLANDS


async def written(db: Database, since: int) -> dict[str, set[tuple[datetime | int, ...]]]:
    """What was written from a transaction on: bucket and island of stored rows, the island elsewhere."""
    stores = await db.fetch(
        "select s.relation, p.partition::text as name from engine.series as s"
        " cross join lateral engine.partitions(s.store, s.width) as p"
        " where s.relation in ('fortnite.ccu_hourly', 'fortnite.ccu_daily')"
    )
    tables = [(row["relation"], row["name"], "ts, island_id") for row in stores]
    tables += [(f"fortnite.{t}", f"fortnite.{t}", "island_id") for t in FOLLOWERS]
    found: dict[str, set[tuple[datetime | int, ...]]] = {relation: set() for relation, *_ in tables}
    async with db.connection() as conn:
        for relation, table, columns in tables:
            query = f"select {columns} from {table} where xmin::text::bigint >= {since}"
            rows = await conn.execute(query.encode())
            found[relation] |= {tuple(row.values()) for row in await rows.fetchall()}
    return found


async def test_a_late_sample_writes_its_hour_its_day_and_its_island_alone(ground: Ground) -> None:
    db = ground.db
    await history(db, 6)
    chosen = CODES[7], CODES[40]
    ids = await db.fetch(
        "select island_id from fortnite.island where code = any(%s)", [list(chosen)]
    )
    islands = {row["island_id"] for row in ids}
    since = await db.fetch_one("select pg_current_xact_id()::text::bigint as xid")

    hour = START + 2 * DAY + 9 * HOUR
    await db.fetch(STORE, [hour + STEP, list(chosen), [50, 51]])
    assert (await timeseries.refresh(db)).hourly == 1
    assert await performance.compute(db) == len(islands)
    await check(db)

    found = await written(db, since["xid"])
    buckets = {"fortnite.ccu_hourly": hour, "fortnite.ccu_daily": START + 2 * DAY}
    # TimescaleDB makes a bucket again as a whole, plain partitions the islands of it that are late.
    late = islands if ground.name == "plain" else {n for _, n in found["fortnite.ccu_hourly"]}
    assert islands <= late
    assert len(late) <= ISLANDS
    assert {name: found[name] for name in buckets} == {
        name: {(bucket, n) for n in late} for name, bucket in buckets.items()
    }
    for table in FOLLOWERS:
        assert found[f"fortnite.{table}"] == {(n,) for n in islands}, table
    records = await db.fetch(
        "select ccu from fortnite.ccu_record where recorded_at = %s", [hour + STEP]
    )
    assert sorted(row["ccu"] for row in records) == [50, 51]


async def test_a_correction_reads_as_much_of_a_long_history_as_of_a_short_one(
    crowd: Ground,
) -> None:
    if crowd.name != "plain":
        return  # there a correction is a call of TimescaleDB, whose buffers no plan shows
    read: dict[int, list[int]] = {}
    for days in (3, 60):
        await clean(crowd.db)
        await history(crowd.db, days)
        seen: list[list[int]] = []
        async with crowd.db.connection() as conn:
            for n in range(16):  # the first ones fill caches, and a generic plan would come sixth
                late = START + DAY + n * HOUR
                await conn.execute(
                    "insert into fortnite.ccu values (%s, 1, 7) on conflict do nothing", [late]
                )
                async with conn.transaction():
                    seen.append(
                        [
                            await buffers(conn, f"select fortnite.mend_{level}()")
                            for level in ("ccu_hourly", "ccu_daily")
                        ]
                    )
                    seen[-1].append(await locks(conn))
        read[days] = fewest(seen[-8:])
        await check(crowd.db)
    for short, long in zip(read[3], read[60], strict=True):
        assert long <= 1.1 * short + 10, read


async def test_the_next_bucket_is_found_without_a_look_at_those_that_follow(
    crowd: Ground,
) -> None:
    read: dict[int, list[int]] = {}
    for days in (3, 60):
        await clean(crowd.db)
        await history(crowd.db, days)
        async with crowd.db.connection() as conn, conn.transaction(force_rollback=True):
            await conn.execute(
                "update engine.series set refreshed_until = %s where source is not null",
                [START + DAY],
            )
            for relation in ("ccu_hourly", "ccu_daily"):
                query = f"select engine.next_bucket('fortnite.{relation}') as bucket"
                found = await (await conn.execute(query.encode())).fetchone()
                assert found is not None
                assert START + DAY <= found["bucket"] < START + 2 * DAY
            read[days] = [await locks(conn)]
            if crowd.name == "plain":  # TimescaleDB reads its own catalog of chunks, too
                read[days] += fewest(
                    [
                        [
                            await buffers(conn, f"select engine.next_bucket('fortnite.{relation}')")
                            for relation in ("ccu_hourly", "ccu_daily")
                        ]
                        for _ in range(3)
                    ]
                )
    for short, long in zip(read[3], read[60], strict=True):
        assert long <= 1.1 * short + 10, read


def fewest(seen: list[list[int]]) -> list[int]:
    """The fewest of each: a vacuum in between makes a session read the catalog again."""
    return [min(each) for each in zip(*seen, strict=True)]


async def buffers(conn: Connection, query: str) -> int:
    """Pages a query looks at, with all that its functions do."""
    explained = await conn.execute(f"explain (analyze, buffers, format json) {query}".encode())
    row = await explained.fetchone()
    assert row is not None
    (told,) = row["QUERY PLAN"]
    return int(told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"])


async def locks(conn: Connection) -> int:
    """Tables and indexes the transaction has locked."""
    found = await conn.execute(
        "select 1 from pg_locks where pid = pg_backend_pid() and locktype = 'relation'"
    )
    return len(await found.fetchall())
