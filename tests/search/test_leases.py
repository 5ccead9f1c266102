"""Two workers who hold the same documents, or did: who settles what, and what is sent once more."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from etl.engine.database import Connection, Database

MARK = "select search.mark('island', %s)"
LEASE = "select ids, marks from search.lease('island', %s, interval '1 hour')"
SETTLE = "select search.settle('island', %s, %s, %s) as done"
OVERTAKEN = "select search.settle('island', %s, %s, p_overtaken => %s) as done"
REFUSED = "select search.settle('island', %s, %s, p_refused => %s, p_reasons => '{bad}') as done"
GONE = "select search.settle('island', %s, %s, p_gone => %s) as done"
HELD = "select id from search.pending where leased_until > clock_timestamp() order by id"
PENDING = "select id from search.pending order by id"
END = "update search.dirty set leased_until = clock_timestamp() where mark = any(%s)"


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Connection]:
    """A worker whose transaction stays open until the test commits it."""
    async with await psycopg.AsyncConnection.connect(
        database_url, row_factory=psycopg.rows.dict_row
    ) as connection:
        yield connection


async def ids(db: Database, query: str = PENDING) -> list[str]:
    return [row["id"] for row in await db.fetch(query)]


async def test_what_changed_meanwhile_belongs_to_the_later_lease(db: Database) -> None:
    await db.execute(MARK, [["a", "b"]])
    early = await db.fetch_one(LEASE, [10])
    await db.execute(MARK, [["a"]])
    late = await db.fetch_one(LEASE, [10])
    assert late["ids"] == ["a"]
    assert (await db.fetch_one(SETTLE, [early["ids"], early["marks"], []]))["done"] == 1
    # Nobody has to send it but whoever has it, else two would go on for ever.
    assert await db.fetch(LEASE, [10]) == []
    assert (await db.fetch_one(SETTLE, [late["ids"], late["marks"], []]))["done"] == 1
    assert await ids(db) == []


async def test_what_a_later_lease_settled_first_is_sent_once_more(db: Database) -> None:
    """The earlier request may have come after the later one, but for b: a higher version was there."""
    await db.execute(MARK, [["a", "b", "c"]])
    early = await db.fetch_one(LEASE, [10])
    await db.execute(MARK, [["a", "b"]])
    late = await db.fetch_one(LEASE, [10])
    assert (await db.fetch_one(SETTLE, [late["ids"], late["marks"], []]))["done"] == 2
    done = await db.fetch_one(OVERTAKEN, [early["ids"], early["marks"], ["b"]])
    assert done["done"] == 1
    assert await ids(db) == ["a"]


async def test_a_lease_may_lose_all_it_has(db: Database) -> None:
    await db.execute(MARK, [["a"]])
    early = await db.fetch_one(LEASE, [10])
    await db.execute(MARK, [["a"]])
    late = await db.fetch_one(LEASE, [10])
    assert (await db.fetch_one(SETTLE, [early["ids"], early["marks"], []]))["done"] == 0
    assert await ids(db) == ["a"]
    assert (await db.fetch_one(SETTLE, [late["ids"], late["marks"], []]))["done"] == 1
    assert await ids(db) == []


async def test_no_two_leases_hold_the_same(db: Database, other: Connection) -> None:
    for _ in range(2):
        await db.execute(MARK, [["a"]])
    await other.execute(LEASE, [1])
    second = asyncio.create_task(db.fetch_one(LEASE, [1]))
    await asyncio.sleep(0.2)
    await other.commit()
    assert (await second)["ids"] == ["a"]
    assert await ids(db, HELD) == ["a"]


async def test_a_settle_waits_for_a_lease_that_takes_something_over(
    db: Database, other: Connection
) -> None:
    await db.execute(MARK, [["a", "b", "c"]])
    early = await db.fetch_one(LEASE, [10])
    await db.execute(MARK, [["b"]])
    await other.execute(LEASE, [10])
    settled = asyncio.create_task(db.fetch_one(SETTLE, [early["ids"], early["marks"], []]))
    await asyncio.sleep(0.2)
    await other.commit()
    assert (await settled)["done"] == 2
    assert await ids(db) == ["b"]


async def two_of_the_same(db: Database) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The lease of a that has ended, and one that has room for its later change alone, which comes first."""
    await db.execute(MARK, [["a"]])
    early = await db.fetch_one(LEASE, [10])
    await db.execute(END, [early["marks"]])
    await db.execute(MARK, [["a"]])
    await db.execute(
        "update search.dirty set marked_at = now() - interval '1 hour' where mark <> all(%s)",
        [early["marks"]],
    )
    late = await db.fetch_one(LEASE, [1])
    assert late["ids"] == ["a"] != late["marks"] != early["marks"]
    return early, late


async def test_a_refusal_that_comes_late_is_not_believed(db: Database) -> None:
    early, late = await two_of_the_same(db)
    await db.execute(SETTLE, [late["ids"], late["marks"], []])
    await db.execute(REFUSED, [early["ids"], early["marks"], ["a"]])
    assert await db.fetch("select id from search.rejected") == []
    assert "a" in await ids(db)


async def test_whoever_is_late_does_not_end_the_memory_of_a_delete(db: Database) -> None:
    early, late = await two_of_the_same(db)
    await db.execute(GONE, [late["ids"], late["marks"], ["a"]])
    await db.execute(SETTLE, [early["ids"], early["marks"], []])
    assert await db.fetch("select id from search.deleted") == [{"id": "a"}]
    assert "a" in await ids(db)
