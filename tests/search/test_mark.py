import asyncio
import random

import psycopg
import pytest

from etl.engine.database import Database
from tests.search.world import World

READ = """
select id, mark, marked_at, leased_until > clock_timestamp() as leased from search.dirty order by id
"""


async def test_mark_folds_repeated_and_null_ids(db: Database) -> None:
    await db.execute("select search.mark('island', array['b', 'a', null, 'b'])")
    assert [row["id"] for row in await db.fetch(READ)] == ["a", "b"]


async def test_one_transaction_marks_5000_documents_at_most(db: Database) -> None:
    marks = "select search.mark('island', array_agg(n::text)) from generate_series(1, %s) as n"
    with pytest.raises(
        psycopg.errors.InvalidParameterValue, match="5001 documents of index island"
    ):
        await db.execute(marks, [5001])
    await db.execute(marks, [5000])


async def test_mark_again_is_a_new_mark_without_lease_at_its_place_in_the_queue(
    db: Database,
) -> None:
    await db.execute("select search.mark('island', array['a'])")
    await db.fetch("select * from search.lease('island', 10, interval '1 hour')")
    (first,) = await db.fetch(READ)
    await db.execute("select search.mark('island', array['a'])")
    (second,) = await db.fetch(READ)
    assert first["leased"]
    assert not second["leased"]
    assert second["mark"] > first["mark"]
    assert second["marked_at"] == first["marked_at"]


async def test_mark_drawn_earlier_and_written_later_still_replaces_the_one_leased(
    database_url: str, db: Database
) -> None:
    """The greater of two marks would be the one already leased, and the later change lost."""
    await db.execute("select search.mark('island', array['a'])")
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        await slow.execute("select search.mark('island', array['a'])")
        waiting = asyncio.create_task(db.execute("select search.mark('island', array['a'])"))
        await _until_someone_waits(db)
        await slow.execute("select search.mark('island', array['a'])")
        await slow.commit()
        await waiting
    (row,) = await db.fetch("select mark from search.dirty")
    (drawn,) = await db.fetch("select last_value from search.mark")
    assert row["mark"] < drawn["last_value"]


async def _until_someone_waits(db: Database) -> None:
    for _ in range(200):
        (row,) = await db.fetch(
            "select count(*) as n from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        )
        if row["n"]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the second writer never waited")


async def test_writers_of_the_same_documents_in_any_order_do_not_deadlock(
    database_url: str,
) -> None:
    ids = [f"{number:04d}" for number in range(400)]

    async def write(seed: int) -> None:
        shuffled = random.Random(seed)
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
            for _ in range(8):
                some = shuffled.sample(ids, shuffled.randint(100, 400))
                await conn.execute("select search.mark('island', %s)", [some])

    await asyncio.gather(*(write(seed) for seed in range(6)))


async def test_lag_is_the_age_of_the_longest_waiting(world: World) -> None:
    await world.island("1", "2")
    await world.db.execute(
        "update search.dirty set marked_at = now() - interval '10 minutes' where id = '1'"
    )
    await world.island("1")
    (lag,) = await world.db.fetch("select * from ops.search_lag")
    assert (lag["index"], lag["pending"], lag["leased"], lag["rejected"]) == ("island", 2, 0, 0)
    assert 600 <= lag["lag_s"] < 660
