"""Landing on a real server: versions, what is not sent, what may run at once."""

import asyncio
import random
from dataclasses import replace
from typing import Any, LiteralString

import orjson
import psycopg
import pytest

from etl.engine.arrays import JsonArray
from etl.engine.crawl import Lease
from etl.engine.database import Database, Params
from etl.engine.items import Found, Item, Missing, Resource
from etl.engine.landing import Batch, Ready, Target, store
from etl.engine.resource import land
from tests.engine.support import Conn, at, rejected, rows, thing, versions


async def test_a_body_that_comes_back_is_a_version_of_its_own(
    db: Database, conn: Conn, things: Resource
) -> None:
    for hour, number in enumerate([1, 2, 1]):
        numbers = await land(db, things, [thing("a", number)], at(hour))
        assert (numbers.landed, numbers.changed) == (1, 1)
    assert await versions(conn, "a") == [
        (1, at(0), {"number": 1}),
        (2, at(1), {"number": 2}),
        (3, at(2), {"number": 1}),
    ]
    assert await rows(conn, "select number from probe.thing") == [(1,)]


async def test_the_same_body_again_writes_no_version(
    db: Database, conn: Conn, things: Resource
) -> None:
    await land(db, things, [thing("a"), thing("b")], at(0))
    numbers = await land(db, things, [thing("a"), thing("b", 2)], at(1))
    assert (numbers.landed, numbers.changed, numbers.unchanged) == (2, 1, 1)
    assert len(await versions(conn, "a")) == 1
    assert await rows(
        conn, "select key, last_fetched_at, last_changed_at from engine.crawl order by key"
    ) == [("a", at(1), at(0)), ("b", at(1), at(1))]
    assert await rows(conn, "select count(*) from probe.log") == [(3,)]


async def test_what_is_only_listed_is_never_due(db: Database, conn: Conn, things: Resource) -> None:
    for hour in range(2):
        await land(db, things, [thing("a", hour)], at(hour))
    assert await rows(conn, "select class, state, due_at = 'infinity' from engine.crawl") == [
        (2, "active", True)
    ]


async def test_a_body_that_is_there_already_is_not_sent(db: Database, things: Resource) -> None:
    sent = 0

    class Watched(Database):
        async def fetch(
            self, query: LiteralString, params: Params = (), *, binary: bool = False
        ) -> list[dict[str, Any]]:
            nonlocal sent
            sent += sum(len(p.data) for p in params if isinstance(p, JsonArray))
            return await db.fetch(query, params, binary=binary)

    watched = Watched(db._pool)
    page = [thing(f"{n:03}", n, label="x" * 1000) for n in range(100)]
    await land(watched, things, page, at(0))
    assert sent > 100_000
    sent = 0
    await land(watched, things, page, at(1))
    assert sent < 100


async def test_volatile_paths_make_no_version(db: Database, conn: Conn, things: Resource) -> None:
    volatile = replace(things, volatile=("seen", "stats.ccu", "links.visited"))
    bodies = [
        {"number": 1, "seen": 1, "stats": {"ccu": 5, "kind": "x"}, "links": [{"visited": 1}]},
        {"stats": {"kind": "x", "ccu": 9}, "links": [{"visited": 2}], "number": 1},
        {"number": 1, "stats": {"kind": "y"}, "links": [{}]},
    ]
    changed = [
        (await land(db, volatile, [Found("a", orjson.dumps(body))], at(hour))).changed
        for hour, body in enumerate(bodies)
    ]
    assert changed == [1, 0, 1]
    assert [body for _, _, body in await versions(conn, "a")] == [bodies[0], bodies[2]]


async def test_of_a_key_given_twice_the_last_is_kept(
    db: Database, conn: Conn, things: Resource
) -> None:
    page = [thing("a", 1), thing("b", 1), thing("a", 2), thing("b", 1)]
    numbers = await land(db, things, page, at(0))
    assert (numbers.landed, numbers.rejected) == (2, 1)
    assert await rows(conn, "select key, number from probe.thing order by key") == [
        ("a", 2),
        ("b", 1),
    ]
    ((key, reason, body),) = await rejected(conn)
    assert (key, body) == ("a", b'{"number":1}')
    assert "again in the same answer" in reason


async def test_what_is_gone_is_a_version_without_a_body(
    db: Database, conn: Conn, things: Resource
) -> None:
    history: list[Item] = [thing("a", 1), Missing("a", "404"), Missing("a", "404"), thing("a", 1)]
    counted = []
    for hour, item in enumerate(history):
        numbers = await land(db, things, [item], at(hour))
        counted.append((numbers.landed, numbers.changed, numbers.missing))
        (state,) = await rows(conn, "select state, body_hash = '' from engine.crawl")
        assert state == (("gone", True) if isinstance(item, Missing) else ("active", False))
    assert counted == [(1, 1, 0), (0, 0, 1), (0, 0, 1), (1, 1, 0)]
    assert await versions(conn, "a") == [
        (1, at(0), {"number": 1}),
        (2, at(1), None),
        (3, at(3), {"number": 1}),
    ]
    assert await rows(conn, "select number, gone_at from probe.thing") == [(1, None)]


async def test_a_late_page_overwrites_nothing_newer(
    db: Database, conn: Conn, things: Resource
) -> None:
    await land(db, things, [thing("a", 2)], at(2))
    numbers = await land(db, things, [thing("a", 1), thing("b", 1)], at(1))
    assert (numbers.landed, numbers.failed) == (1, 1)
    assert await rows(conn, "select key, number from probe.thing order by key") == [
        ("a", 2),
        ("b", 1),
    ]
    assert len(await versions(conn, "a")) == 1


async def test_a_call_sent_twice_changes_nothing(
    db: Database, conn: Conn, things: Resource
) -> None:
    """As happens when the connection is lost after the commit and before the answer."""
    batch = Batch(changed=[Ready("a", b"1" * 16, None, b'{"number": 1}')])
    for _ in range(2):
        numbers = await store(db, Target(things, None, at(0), 0), batch)
        assert numbers.landed == 1
    assert len(await versions(conn, "a")) == 1
    assert await rows(conn, "select count(*) from probe.log") == [(1,)]


async def test_an_error_that_is_not_the_datas_fault_is_raised_and_lands_nothing(
    db: Database, conn: Conn, things: Resource
) -> None:
    with pytest.raises(psycopg.errors.UndefinedFunction):
        await land(db, replace(things, apply="probe.nowhere"), [thing("a")], at(0))
    assert await rows(conn, "select * from engine.crawl") == []
    assert await rejected(conn) == []


async def test_thousands_land_in_several_transactions(
    db: Database, conn: Conn, things: Resource
) -> None:
    page = [thing(f"{n:05}", n) for n in range(2500)]
    random.shuffle(page)
    numbers = await land(db, things, page, at(0))
    assert (numbers.landed, numbers.changed) == (2500, 2500)
    assert await rows(conn, "select count(distinct xmin::text) from raw.document") == [(3,)]
    assert await rows(conn, "select count(*) from probe.thing where key::int = number") == [(2500,)]


async def test_eight_writers_at_the_same_keys_agree(
    db: Database, conn: Conn, things: Resource
) -> None:
    """Neither a deadlock nor a lost version: each key's versions are whole, the last one rules."""
    keys = [f"k{n:02}" for n in range(40)]

    async def writer(number: int) -> None:
        chance = random.Random(number)
        for turn in range(15):
            some = chance.sample(keys, 20)
            page = [thing(key, chance.randrange(3)) for key in some]
            await land(db, things, page, at(turn + number / 10))

    await asyncio.gather(*(writer(number) for number in range(8)))
    for key, count, highest in await rows(
        conn, "select key, count(*), max(version) from raw.document group by key"
    ):
        assert count == highest, key
    assert not await rows(
        conn,
        """
        select d.key from raw.document as d
        join raw.document as before
          on before.key = d.key and before.version = d.version - 1
        where before.body_hash = d.body_hash or before.fetched_at > d.fetched_at
        """,
    )
    assert not await rows(
        conn,
        """
        select t.key, t.number, d.body
        from probe.thing as t
        join engine.crawl as c using (key)
        join raw.document as d on d.key = c.key and d.version = c.version
        where t.number is distinct from (d.body ->> 'number')::integer
        """,
    )


async def test_two_workers_that_land_the_same_new_page_at_once(
    db: Database, conn: Conn, things: Resource
) -> None:
    page = [thing(f"{n:04}", n) for n in range(900)]
    both = await asyncio.gather(*(land(db, things, page, at(0)) for _ in range(2)))
    assert [numbers.landed for numbers in both] == [900, 900]
    assert sum(numbers.changed for numbers in both) == 900
    assert await rows(conn, "select count(*), max(version) from raw.document") == [(900, 1)]


async def test_instants_never_go_back_within_an_entity(
    db: Database, conn: Conn, things: Resource
) -> None:
    """A worker's clock may be behind; what holds the lease lands, dated not before the last."""
    await land(db, things, [thing("a", 1)], at(5))
    await conn.execute("update engine.crawl set lease = 7, leased_until = 'infinity'")
    batch = Batch(changed=[Ready("a", b"2" * 16, None, b'{"number": 2}')])
    await store(db, Target(things, Lease(7, {}, at(4)), at(4), 8), batch)
    assert [instant for _, instant, _ in await versions(conn, "a")] == [at(5), at(5)]
