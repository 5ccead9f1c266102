"""Rankings of days: what they are made of, and what is done once, again, or by two at a time."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from etl.engine import timeseries
from etl.engine.database import Database
from etl.fortnite import rankings
from etl.settings import Settings
from tests import marks
from tests.fortnite import metric_rows
from tests.fortnite.ranked import DAY, STEP, Island, World, known, read, sample, start, tell

TODAY = date(2026, 11, 20)
YESTERDAY = TODAY - DAY
NOON = start(TODAY) + timedelta(hours=12)


def all_day(code: str, day: date, ccu: int) -> dict[tuple[str, datetime], int]:
    """A sample every ten minutes of a day."""
    return {(code, start(day) + STEP * n): ccu for n in range(144)}


async def compute(db: Database, settings: Settings, now: datetime = NOON) -> rankings.Ranked:
    return await rankings.compute_days(db, settings, now=now)


async def ranks(db: Database, **wanted: Any) -> dict[tuple[date, str], int]:
    """Ranks by day and island of one list."""
    rows = await db.fetch(
        "select day, code, rank from analytics.ranking"
        " where list = %(list)s and name = %(name)s and measure = %(measure)s",
        {"list": "global", "name": "", "measure": "average"} | wanted,
    )
    return {(row["day"], row["code"]): row["rank"] for row in rows}


async def marked(db: Database) -> set[str]:
    """Documents marked since the last call."""
    return {row["id"] for row in await db.fetch(marks.TAKE)}


async def until_someone_waits(db: Database) -> None:
    """Until a statement of this database waits for a lock."""
    for _ in range(500):
        if await db.fetch(
            "select pid from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        ):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody ever waited")


async def test_a_day_computed_again_writes_nothing_and_marks_nobody(
    db: Database, settings: Settings
) -> None:
    world = World([Island(code, tags=["pvp"]) for code in "abc"])
    await known(db, world.islands)
    for code, ccu in (("a", 30), ("b", 20), ("c", 10)):
        await sample(db, world, all_day(code, YESTERDAY, ccu))
    done = await compute(db, settings)
    assert (done.days, done.corrected, done.rows, done.trends, done.marked) == (1, 0, 12, 3, 3)
    assert await marked(db) == set("abc")
    rows = await db.fetch("select xmin::text, * from fortnite.ranking_row order by 1, 2, 3, 4")
    assert (await compute(db, settings)) == rankings.Ranked(0, 0, 0, 0, 0)
    for source in rankings.SOURCES:
        assert await rankings.rank(db, YESTERDAY, source, settings.fortnite_ranking_top) == 0
    again = await compute(db, settings)
    assert (again.rows, again.trends, again.marked) == (0, 0, 0)
    assert rows == await db.fetch(
        "select xmin::text, * from fortnite.ranking_row order by 1, 2, 3, 4"
    )


async def test_late_data_corrects_its_day_and_marks_those_that_moved(
    db: Database, settings: Settings
) -> None:
    world = World([Island(code) for code in "abc"])
    await known(db, world.islands)
    for day in (YESTERDAY - DAY, YESTERDAY):
        for code, ccu in (("a", 30), ("b", 20), ("c", 10)):
            await sample(db, world, all_day(code, day, ccu))
    await compute(db, settings, NOON - DAY)
    await compute(db, settings)
    await marked(db)
    await sample(db, world, all_day("c", YESTERDAY - DAY, 25))
    await timeseries.refresh(db)
    done = await compute(db, settings)
    assert (done.days, done.corrected) == (0, 1)
    assert await read(db) == world.rankings([YESTERDAY - DAY, YESTERDAY], top=9)
    assert await marked(db) == {"c"}  # trends less now; documents show yesterday's ranks
    await sample(db, world, all_day("c", YESTERDAY, 25))
    await timeseries.refresh(db)
    await compute(db, settings)
    assert await read(db) == world.rankings([YESTERDAY - DAY, YESTERDAY], top=9)
    assert await marked(db) == {"b", "c"}


async def test_lists_are_those_of_the_end_of_the_day(db: Database, settings: Settings) -> None:
    """An island that changed its tags, hands and category since is ranked where it was."""
    world = World([Island("a", "new", "New", ["Now"], ["then", "both"])])
    await known(db, world.islands)
    await db.execute(
        "insert into fortnite.island_change (island_id, changed_at, resource, fields, old, new)"
        " select i.island_id, u.at::timestamptz, 'x', array['tags'], jsonb_build_object('tags', u.old), '{}'"
        " from fortnite.island as i,"
        " (values ('2026-11-19 23:59Z', '[\"before\"]'::jsonb), ('2026-11-20Z', '[\"then\", \"both\"]'),"
        "  ('2026-11-20 01:00Z', null)) as u (at, old)"
    )
    await db.execute(
        "insert into fortnite.island_change (island_id, changed_at, resource, fields, old, new)"
        " select island_id, '2026-11-20 02:00Z', 'x',"
        " array['category', 'category_labels', 'creator_account_id', 'title'],"
        ' \'{"category": null, "category_labels": ["Then"], "creator_account_id": "old", "title": "x"}\','
        " '{}' from fortnite.island"
    )
    await db.execute("update fortnite.island set tags = array['now', 'both']")
    await sample(db, world, all_day("a", YESTERDAY, 5))
    await compute(db, settings)
    lists = await db.fetch("select distinct list, name from fortnite.ranking order by 1, 2")
    assert [tuple(row.values()) for row in lists] == [
        ("category", "Then"),
        ("creator", "old"),
        ("global", ""),
        ("tag", "both"),
        ("tag", "then"),
    ]


async def test_the_data_api_alone_ranks_by_peak(db: Database, settings: Settings) -> None:
    """Through reads as they are taken over: a week at once, a day told later, one revised, one withheld."""
    await metric_rows.listed(db, "a", "b", "c")
    await db.execute("update fortnite.island set creator_code = 'epic' where code <> 'c'")
    week = [TODAY - DAY * n for n in range(7, 0, -1)]
    await metric_rows.take(
        db,
        metric_rows.read("a", "2026-11-20 01:00", *metric_rows.days("2026-11-13", *range(10, 17))),
        metric_rows.read("b", "2026-11-19 09:00", *metric_rows.days("2026-11-13", *[12] * 7)),
        metric_rows.read("c", "2026-11-20 01:00", *metric_rows.days("2026-11-13", None, 0, 99)),
    )
    done = await compute(db, settings, start(TODAY) + timedelta(hours=1))
    assert (done.days, done.corrected) == (1, 6)
    found = await ranks(db, measure="peak")
    b_rank = [1, 1, 3, 2, 2, 2, None]  # yesterday was still running when b was read
    assert [found.get((day, "b")) for day in week] == b_rank
    assert {day for day, code in found if code == "c"} == {week[2]}
    assert await ranks(db, measure="average") == {}
    assert await ranks(db, measure="peak", list="creator", name="epic")
    shown = await db.fetch("select code, rank from analytics.island_trend where rank is not null")
    assert [tuple(row.values()) for row in shown] == [("a", 1)]

    await metric_rows.take(
        db,
        metric_rows.read("b", "2026-11-20 02:00", *metric_rows.days("2026-11-18", 13, 90)),
        metric_rows.read("a", "2026-11-20 02:00", *metric_rows.days("2026-11-19", 16, None)),
    )
    done = await compute(db, settings)
    assert (done.days, done.corrected) == (0, 2)
    found = await ranks(db, measure="peak")
    assert (found[YESTERDAY, "b"], found[YESTERDAY, "a"]) == (1, 2)
    trend = await db.fetch_one("select * from analytics.island_trend where code = 'b'")
    assert (trend["rank"], trend["day"], trend["avg_1d"]) == (1, YESTERDAY, None)
    assert (await compute(db, settings)).corrected == 0


async def test_what_is_committed_while_a_day_is_ranked_is_not_missed(
    db: Database, settings: Settings, database_url: str
) -> None:
    world = World([Island(code) for code in "ab"])
    await known(db, world.islands)
    await sample(db, world, all_day("a", YESTERDAY, 7))
    await tell(db, world, {("a", YESTERDAY): 9})
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        await slow.execute(
            "insert into fortnite.island_metric"
            " (ts, island_id, bucket_minutes, read_at, partial, peak_ccu)"
            " select %s, island_id, 1440, now(), false, 50 from fortnite.island where code = 'b'",
            [start(YESTERDAY)],
        )
        await compute(db, settings)
    late = {("b", start(YESTERDAY) + STEP * n): 40 for n in range(144)}
    await sample(db, world, late)  # after the day was ranked, before anything of it was rolled up
    await timeseries.refresh(db)
    assert (await compute(db, settings)).corrected == 1
    world.peaks["b", YESTERDAY] = 50
    assert await read(db) == world.rankings([YESTERDAY], top=9)


async def test_two_at_once_give_the_rows_of_one(
    db: Database, settings: Settings, database_url: str
) -> None:
    """The second waits for the first, a worker that has not committed yet, and finds nothing to do."""
    world = World([Island(f"{n:03}", str(n % 7), None, [], [str(n % 5)]) for n in range(60)])
    await known(db, world.islands)
    for n, island in enumerate(world.islands):
        await sample(db, world, all_day(island.code, YESTERDAY, 1 + n % 11))
    await timeseries.refresh(db, until=start(TODAY))
    worker = make_conninfo(database_url, options="-c role=etl_worker")
    async with await psycopg.AsyncConnection.connect(worker) as first:
        await first.execute("select fortnite.make_ranking_room(%s)", [YESTERDAY])
        await first.commit()
        await first.execute("select fortnite.compute_rankings(%s, 'ccu', 1000)", [YESTERDAY])
        waiting = asyncio.create_task(compute(db, settings))
        await until_someone_waits(db)
        await first.commit()
        assert (await waiting).rows == 0
    assert await read(db) == world.rankings([YESTERDAY], top=1000)
    assert await db.fetch("select day from fortnite.ranking_due") == []


async def test_an_operator_has_days_ranked_again(
    db: Database, settings: Settings, database_url: str
) -> None:
    world = World([Island(code) for code in "abc"])
    await known(db, world.islands)
    for n in range(3):
        await sample(db, world, all_day("abc"[n], YESTERDAY, 9 - n))
    few = settings.model_copy(update={"fortnite_ranking_top": 1})
    await compute(db, few)
    assert await read(db) == world.rankings([YESTERDAY], top=1)
    operator = make_conninfo(database_url, options="-c role=etl_operator")
    async with await psycopg.AsyncConnection.connect(operator, autocommit=True) as conn:
        await conn.execute("select ops.rank_again(%s, %s)", [YESTERDAY, YESTERDAY])
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="over"):
            await conn.execute("select ops.rank_again('2026-11-19', '2999-01-01')")
    await compute(db, settings)
    assert await read(db) == world.rankings([YESTERDAY], top=1000)
    await db.execute("select ops.rank_again(%s, %s)", [YESTERDAY, YESTERDAY])
    await compute(db, few)
    assert await read(db) == world.rankings([YESTERDAY], top=1)


async def test_history_that_was_there_before_the_first_tick_is_ranked(
    db: Database, settings: Settings
) -> None:
    """Landed into an empty database (etl backfill): of no day before yesterday anything is late or due."""
    world = World([Island("a"), Island("b")])
    await known(db, world.islands)
    days = [YESTERDAY - DAY * n for n in (5, 4, 2, 0)]
    for n, day in enumerate(days):
        await sample(db, world, all_day("a", day, 10 + n) | all_day("b", day, 12))
    await sample(db, world, {("a", start(TODAY)): 1})
    await timeseries.refresh(db)
    done = await compute(db, settings)
    assert (done.days, done.corrected) == (1, 3)
    assert await read(db) == world.rankings(days, top=9)
    assert (await compute(db, settings)) == rankings.Ranked(0, 0, 0, 0, 0)
