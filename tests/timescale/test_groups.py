"""Groups of islands by hour: equal to a plain count over samples and over what islands were then, on every ground."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psycopg

from etl.engine import timeseries
from etl.engine.database import Database
from etl.fortnite import totals
from tests.timescale.conftest import Ground
from tests.timescale.model import DAY, HOUR, STEP, Sample, at, put, raw, series

START = at("2026-11-20 10:00")
TAGS = {1: ["pvp", "1v1", "pvp"], 2: ["pvp"], 3: [], 4: ["race"]}

WAITING = """
select exists(
  select from pg_stat_activity as a
  where a.datname = current_database() and a.wait_event_type = 'Lock' and a.query ~ 'mend_ccu_group'
) as waiting
"""

Group = tuple[datetime, str, str]


async def islands(db: Database, *told: int) -> None:
    """Four islands, the fourth of Epic; their details are known of those that are told."""
    for island in sorted(TAGS):
        await db.execute(
            "insert into fortnite.island (code, source, first_seen_at) values (%s, 'test', %s)",
            [f"0000-0000-000{island}", START],
        )
    await tell(db, *told)


async def tell(db: Database, *told: int) -> None:
    for island in told:
        await db.execute(
            "update fortnite.island set detailed_at = %s, tags = %s::text[], creator_account_id = %s"
            " where island_id = %s",
            [START, TAGS[island], "epic" if island == 4 else f"account {island}", island],
        )


async def retag(
    db: Database, island: int, changed_at: datetime, old: list[str], new: list[str]
) -> None:
    await db.execute(
        "insert into fortnite.island_change (island_id, changed_at, resource, fields, old, new)"
        " values (%s, %s, 'test', '{tags,title}', jsonb_build_object('tags', %s::text[]),"
        " jsonb_build_object('tags', %s::text[]))",
        [island, changed_at, old, new],
    )
    await db.execute(
        "update fortnite.island set tags = %s::text[] where island_id = %s", [new, island]
    )


async def groups(db: Database) -> dict[Group, dict[str, Any]]:
    rows = await db.fetch("select * from fortnite.ccu_group_hourly")
    return {(row.pop("ts"), row.pop("kind"), row.pop("name")): row for row in rows}


def counted(
    samples: Mapping[Sample, int], then: Mapping[tuple[int, datetime], list[str]], until: datetime
) -> dict[Group, dict[str, Any]]:
    """The same from samples, before an hour that is not over; ``then`` says what tags were in hours they differ."""
    found: dict[Group, dict[Sample, int]] = defaultdict(dict)
    for (ts, island), ccu in samples.items():
        hour = ts.replace(minute=0)
        tags = then.get((island, hour), TAGS[island])
        names = [("total", ""), *(("tag", tag) for tag in set(tags) or {""})]
        for kind, name in [*names, *([("epic", "")] if island == 4 else [])]:
            if hour < until:
                found[hour, kind, name][ts, island] = ccu
    return {
        (hour, kind, name): {
            "ccu_sum": sum(told.values()),
            "samples": len(told),
            "islands": len({island for _, island in told}),
            "played": len({island for (_, island), ccu in told.items() if ccu}),
            "cycles": len({ts for ts, _ in found[hour, "total", ""]}),
            "steps": [
                sum(here)
                if (here := [v for (ts, _), v in told.items() if ts == hour + n * STEP])
                else None
                for n in range(6)
            ],
        }
        for (hour, kind, name), told in found.items()
    }


async def test_groups_follow_samples_late_ones_and_what_islands_were_then(ground: Ground) -> None:
    db = ground.db
    await islands(db, 1, 2, 3, 4)
    for island in TAGS:
        await put(db, series(START + island * STEP, range(island, 40 + island), island=island))
    await timeseries.refresh(db)
    until = START + 7 * HOUR
    assert await groups(db) == counted(await raw(db), {}, until)

    await retag(db, 2, START + timedelta(hours=3, minutes=20), ["pvp"], ["race", "new"])
    await put(
        db, {(START + HOUR + 5 * STEP, 2): 99, (START + 5 * HOUR, 2): 1000, (START - DAY, 2): 8}
    )
    await db.execute("delete from fortnite.ccu where ts = %s and island_id = 3", [START + 2 * HOUR])
    await put(db, series(until + 2 * HOUR, [5, 0], island=4))
    await timeseries.refresh(db)
    # What was stored before the change stands; an hour that is computed after it counts what the island was then.
    then = {(2, START + n * HOUR): ["race", "new"] for n in (5, 7, 8)}
    assert await groups(db) == counted(await raw(db), then, until + 2 * HOUR)


async def test_what_was_counted_before_it_was_known_is_counted_again(ground: Ground) -> None:
    db = ground.db
    await islands(db, 1)
    await put(db, series(START, range(1, 20), island=1))
    await put(db, series(START, range(1, 20), island=4))
    await timeseries.refresh(db)
    assert (START, "epic", "") not in await groups(db)
    await tell(db, 4)
    await timeseries.refresh(db)
    assert await groups(db) == counted(await raw(db), {}, START + 3 * HOUR)
    assert await db.fetch("select from fortnite.ccu_untold") == []


async def test_what_is_kept_of_hours_whose_samples_are_gone(ground: Ground) -> None:
    db = ground.db
    await islands(db, 1, 2, 3)
    # No island was sampled in each of the cycles.
    await put(db, series(START, range(1, 5), island=1))
    await put(db, series(START + 2 * STEP, range(1, 20), island=4))
    await timeseries.refresh(db)
    before = await groups(db)
    assert before[START, "total", ""]["cycles"] == 6
    await db.execute(
        "update engine.series set kept_from = %s where relation = 'fortnite.ccu'", [START + DAY]
    )
    await tell(db, 4)
    await timeseries.refresh(db)
    # Groups that have another island than before lose what is no longer known, all others are as they were.
    gone = {"steps": [None] * 6}
    told = {
        (hour, *group): before[hour, "tag", ""] | gone
        for hour, _, name in before
        for group in (("epic", ""), ("tag", "race"))
        if name == ""
    }
    same = {key: row for key, row in before.items() if key[1:] != ("tag", "")}
    assert await groups(db) == same | told


async def test_no_samples_are_dropped_while_they_are_added_up(crowd: Ground) -> None:
    db = crowd.db
    await islands(db, 1, 2, 3, 4)
    await put(db, series(START, range(1, 20), island=1))
    await put(db, series(START + DAY, [1]))
    await timeseries.refresh(db)
    before = await groups(db)
    await db.execute(
        "insert into engine.late (relation, ts, keys) values ('fortnite.ccu_group_hourly', %s, '{}')",
        [START],
    )
    async with await psycopg.AsyncConnection.connect(crowd.url) as reader:
        # Holds the refresh up where it has seen that its samples are kept and has not read them yet.
        await reader.execute("select from fortnite.ccu_group_hourly for update")
        refreshing = asyncio.create_task(timeseries.refresh(db))
        for _ in range(500):
            if (await db.fetch_one(WAITING))["waiting"]:
                break
            await asyncio.sleep(0.02)
        await db.execute("select engine.raise_floor('fortnite.ccu', %s)", [START + DAY])
        await db.execute("select engine.raise_kept('fortnite.ccu', %s)", [START + DAY])
        with suppress(psycopg.errors.LockNotAvailable):
            await db.execute("select engine.drop_oldest('fortnite.ccu')")
        await reader.rollback()
        await refreshing
    assert await groups(db) == before


async def test_a_day_of_creators_is_added_up_again_after_late_samples(crowd: Ground) -> None:
    db = crowd.db
    await islands(db, 1)
    await db.execute("truncate fortnite.creator, fortnite.creator_daily")
    await db.execute(
        "insert into fortnite.creator (account_id, source, first_seen_at) values ('account 1', 'test', %s)",
        [START],
    )
    await db.execute("delete from engine.watermark where name = %s", [totals.WATERMARK])
    yesterday = (
        await db.fetch_one("select date_trunc('day', now(), 'UTC') - interval '1 day' as at")
    )["at"]
    await put(db, series(yesterday, [1] * 150))
    await timeseries.refresh(db)
    await totals.close_days(db)
    await put(db, {(yesterday, 1): 50})
    await timeseries.refresh(db)
    assert (await totals.close_days(db)).rows == 1
    (row,) = await db.fetch("select minutes_played from fortnite.creator_daily")
    assert row["minutes_played"] == (143 + 50) * 10
    assert (await totals.close_days(db)).rows == 0
