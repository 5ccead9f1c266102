import psycopg
import pytest

from etl.engine.database import Database
from tests.search.world import World

MARK = "select search.mark('island', %s)"
SETS = "select ids, mark, marked_at, leased_until > clock_timestamp() as leased from search.dirty order by mark"
LEASE = "select ids, marks from search.lease('island', %s, interval '1 hour')"
SETTLE = "select search.settle('island', %s, %s, %s) as done"
MERGE = "select search.merge_marks('island', %s) as rows"
AGE = "update search.dirty set marked_at = now() - interval '10 minutes' where 'a' = any(ids)"


async def sets(db: Database) -> list[list[str]]:
    """Ids of each row, in the order of marks."""
    return [row["ids"] for row in await db.fetch(SETS)]


async def test_what_one_call_marks_is_one_row_without_repeated_and_null_ids(db: Database) -> None:
    await db.execute(MARK, [["b", "a", None, "b"]])
    assert await sets(db) == [["a", "b"]]


@pytest.mark.parametrize("nothing", [[], [None], None])
async def test_to_mark_nothing_leaves_no_row(db: Database, nothing: list[str] | None) -> None:
    await db.execute("select search.mark('island', %s::text[])", [nothing])
    assert await sets(db) == []


async def test_one_transaction_marks_5000_documents_at_most(db: Database) -> None:
    marks = "select search.mark('island', array_agg(n::text)) from generate_series(1, %s) as n"
    with pytest.raises(
        psycopg.errors.InvalidParameterValue, match="5001 documents of index island"
    ):
        await db.execute(marks, [5001])
    await db.execute(marks, [5000])


async def test_what_is_marked_while_it_is_sent_waits_on_its_own(db: Database) -> None:
    """A mark that was leased would be settled with what was read before the later change."""
    await db.execute(MARK, [["a"]])
    taken = await db.fetch_one(LEASE, [10])
    await db.execute(MARK, [["a"]])
    first, second = await db.fetch(SETS)
    assert (first["leased"], second["leased"]) == (True, False)
    await db.execute(SETTLE, [taken["ids"], taken["marks"], []])
    (left,) = await db.fetch(SETS)
    assert left["mark"] == second["mark"]


async def test_whoever_marks_the_same_waits_for_nobody(database_url: str, db: Database) -> None:
    await db.execute(MARK, [["a", "b"]])
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        await slow.execute(MARK, [["b", "a"]])
        async with db.connection() as conn, conn.transaction():
            await conn.execute("set local lock_timeout = '1ms'")
            await conn.execute(MARK, [["a", "b"]])
        assert len(await sets(db)) == 2
        await slow.commit()
    assert len(await sets(db)) == 3


async def test_a_lease_takes_each_document_once_and_no_more_than_it_may(db: Database) -> None:
    await db.execute(MARK, [["c", "a"]])
    await db.execute(MARK, [["b", "a"]])
    await db.execute(MARK, [["f", "e", "d"]])
    taken = await db.fetch_one(LEASE, [5])
    assert taken["ids"] == ["a", "b", "c", "d"]
    assert len(taken["marks"]) == 3
    rest = await db.fetch_one(LEASE, [5])
    assert rest["ids"] == ["e", "f"]
    assert await db.fetch(LEASE, [5]) == []


async def test_what_is_left_of_a_set_keeps_its_place_in_the_queue(db: Database) -> None:
    await db.execute(MARK, [["a", "b", "c"]])
    await db.execute(AGE)
    await db.execute(MARK, [["later"]])
    for expected in (["a", "b"], ["c", "later"]):
        assert (await db.fetch_one(LEASE, [2]))["ids"] == expected
    rows = await db.fetch(
        "select marked_at < now() - interval '9 minutes' as old from search.dirty"
    )
    assert sorted(row["old"] for row in rows) == [False, True, True]


async def test_what_waits_is_free_again_at_its_place_in_the_queue(db: Database) -> None:
    await db.execute(MARK, [["a", "b", "c"]])
    await db.execute(AGE)
    taken = await db.fetch_one(LEASE, [10])
    done = await db.fetch_one(SETTLE, [taken["ids"], taken["marks"], ["b", "stranger"]])
    assert done["done"] == 2
    (left,) = await db.fetch(SETS)
    assert (left["ids"], left["leased"]) == (["b"], False)
    (lag,) = await db.fetch("select lag_s from ops.search_lag")
    assert lag["lag_s"] >= 600


async def test_what_waits_long_is_put_together_each_document_once(db: Database) -> None:
    for ids in (["a", "b"], ["b", "c"], ["held"]):
        await db.execute(MARK, [ids])
    await db.execute("update search.dirty set leased_until = 'infinity' where ids = '{held}'")
    await db.execute(AGE)
    assert (await db.fetch_one(MERGE, [5]))["rows"] == 0
    assert (await db.fetch_one(MERGE, [4]))["rows"] == 1
    assert sorted(await sets(db)) == [["a", "b", "c"], ["held"]]
    rows = await db.fetch(
        "select id, marked_at < now() - interval '9 minutes' as old from search.pending"
    )
    assert {row["id"]: row["old"] for row in rows} == {
        "a": True,
        "b": True,
        "c": True,
        "held": False,
    }


async def test_what_was_put_together_is_left_until_as_much_has_come_again(db: Database) -> None:
    await db.execute(MARK, [["a", "b", "c"]])
    assert (await db.fetch_one(MERGE, [0]))["rows"] == 1
    await db.execute(MARK, [["c", "d", "a"]])
    assert (await db.fetch_one(MERGE, [0]))["rows"] == 0
    await db.execute(MARK, [["e"]])
    assert (await db.fetch_one(MERGE, [0]))["rows"] == 1
    assert await sets(db) == [["a", "b", "c", "d", "e"]]


async def test_many_that_are_put_together_keep_their_order(db: Database) -> None:
    for first in (5001, 1):
        await db.execute(
            "select search.mark('island', array_agg(to_char(n, 'fm00000')))"
            " from generate_series(%s::int, %s::int) as n",
            [first, first + 4999],
        )
    await db.execute(MARK, [["00001"]])
    assert (await db.fetch_one(MERGE, [0]))["rows"] == 2
    assert (await db.fetch_one(LEASE, [5000]))["ids"][0] == "05001"
    assert (await db.fetch_one(LEASE, [5000]))["ids"][0] == "00001"
    assert await db.fetch(LEASE, [5000]) == []


async def test_lag_is_the_age_of_the_longest_waiting(world: World) -> None:
    await world.island("1", "2")
    await world.db.execute("update search.dirty set marked_at = now() - interval '10 minutes'")
    await world.island("1")
    (lag,) = await world.db.fetch("select * from ops.search_lag")
    assert (lag["index"], lag["pending"], lag["leased"], lag["rejected"]) == ("island", 3, 0, 0)
    assert 600 <= lag["lag_s"] < 660
