"""The refresh loop on a real server: batches on their way, failures of whole requests, cancelling."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from etl.engine.database import Database
from etl.engine.errors import Refused, Transient
from etl.engine.items import Bad, Claim, Found, Item, Missing, Numbers, Resource
from etl.engine.resource import refresh
from etl.settings import Settings
from tests.engine.support import Conn, rejected, rows, thing

OPTIONS = Settings(crawl_attempts=3)


def keys_of(claims: Sequence[Claim]) -> list[str]:
    return [claim.key for claim in claims]


async def answer(claims: Sequence[Claim]) -> Sequence[Item]:
    return [thing(claim.key, int(claim.key[1:])) for claim in claims]


async def discover(conn: Conn, count: int) -> None:
    keys = [f"k{n:04}" for n in range(count)]
    await conn.execute("select engine.discover('probe.thing', %s)", [keys])


async def test_all_that_is_due_is_landed(db: Database, conn: Conn, things: Resource) -> None:
    await discover(conn, 35)
    numbers = await refresh(db, things, answer, limit=1000, settings=OPTIONS)
    assert numbers == Numbers(landed=35, changed=35)
    assert await rows(
        conn,
        "select count(*), count(*) filter (where number = right(key, 4)::int) from probe.thing",
    ) == [(35, 35)]
    assert await refresh(db, things, answer, limit=1000, settings=OPTIONS) == Numbers()


async def test_no_more_than_the_limit_is_claimed(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 35)
    asked: list[int] = []

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        asked.append(len(claims))
        return await answer(claims)

    assert (await refresh(db, things, fetch, limit=23, settings=OPTIONS)).landed == 23
    assert asked == [10, 10, 3]


async def test_unchanged_bodies_are_counted_and_due_later(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 10)
    await refresh(db, things, answer, limit=10, settings=OPTIONS)
    await conn.execute("update engine.crawl set due_at = now()")
    numbers = await refresh(db, things, answer, limit=10, settings=OPTIONS)
    assert numbers == Numbers(landed=10, unchanged=10)
    assert await rows(conn, "select count(*) from engine.crawl where due_at > now()") == [(10,)]


async def test_the_next_batch_is_fetched_while_others_land(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 50)
    asked: asyncio.Queue[list[str]] = asyncio.Queue()

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        asked.put_nowait(keys_of(claims))
        return await answer(claims)

    async with conn.transaction():
        await conn.execute("lock table probe.thing in share mode")
        work = asyncio.create_task(refresh(db, things, fetch, limit=50, settings=OPTIONS))
        async with asyncio.timeout(20):
            for _ in range(3):
                await asked.get()
        # two are landing, one waits for them, and no more is taken than that
        await asyncio.sleep(0.1)
        assert asked.empty()
    assert (await work).landed == 50


async def test_a_transient_failure_gives_the_batch_back_unblamed(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 25)
    retry_at = datetime.now(UTC) + timedelta(minutes=7)
    calls = 0

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Transient("503", retry_at)
        return await answer(claims)

    numbers = await refresh(db, things, fetch, limit=100, settings=OPTIONS)
    assert (numbers.landed, numbers.failed, calls) == (10, 10, 2)
    given_back = await rows(
        conn,
        "select attempts, leased_until = '-infinity' from engine.crawl where due_at = %s",
        [retry_at],
    )
    assert given_back == [(0, True)] * 10


@pytest.mark.parametrize("batch", [1, 10])
async def test_one_that_upstream_always_stumbles_over_holds_up_no_others(
    db: Database, conn: Conn, things: Resource, batch: int
) -> None:
    await discover(conn, 35)
    await conn.execute(
        "update engine.crawl set due_at = now() - interval '1 s' where key = 'k0000'"
    )

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        if "k0000" in keys_of(claims):
            raise Transient("500")
        return await answer(claims)

    small = replace(things, batch=batch)
    for _ in range(60):  # one a minute
        await refresh(db, small, fetch, limit=1000, settings=OPTIONS)
        await conn.execute("update engine.crawl set due_at = due_at - interval '1 min'")
    assert await rows(conn, "select count(*) from probe.thing") == [(34,)]
    assert await rows(
        conn, "select key, attempts, state from engine.crawl where last_fetched_at is null"
    ) == [("k0000", 0, "active")]


async def test_that_all_are_gone_at_once_is_not_believed(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 10)
    await refresh(db, things, answer, limit=10, settings=OPTIONS)

    async def nothing(claims: Sequence[Claim]) -> Sequence[Item]:
        return [Missing(claim.key, "not in the answer") for claim in claims]

    await conn.execute("update engine.crawl set due_at = now()")
    assert await refresh(db, things, nothing, limit=10, settings=OPTIONS) == Numbers(failed=10)
    state = "select state, attempts, due_at > now() from engine.crawl group by 1, 2, 3"
    assert await rows(conn, state) == [("active", 0, True)]

    await conn.execute("update engine.crawl set due_at = now() where key < 'k0009'")
    numbers = await refresh(db, things, nothing, limit=10, settings=OPTIONS)
    assert numbers == Numbers(missing=9)


async def test_a_turn_is_waited_for_while_nothing_is_leased(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 25)
    turns: list[int] = []
    asked: list[list[str]] = []

    async def turn() -> None:
        turns.append(len(asked))
        if len(turns) == 3:
            raise Transient("the next turn is far away")

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        asked.append(keys_of(claims))
        return await answer(claims)

    numbers = await refresh(db, things, fetch, limit=100, settings=OPTIONS, turn=turn)
    assert (numbers, turns) == (Numbers(landed=20, changed=20), [0, 1, 2])
    assert (
        await rows(
            conn,
            "select attempts, leased_until = '-infinity', due_at <= now() from engine.crawl "
            "where last_fetched_at is null",
        )
        == [(0, True, True)] * 5
    )


@pytest.mark.parametrize("error", [Refused(400, "no"), KeyError("bug")])
async def test_any_other_failure_brings_the_batch_back_one_by_one(
    db: Database, conn: Conn, things: Resource, error: Exception
) -> None:
    """The culprit of a request that was refused as a whole is found, and it alone is blamed."""
    await discover(conn, 5)

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        if "k0003" in keys_of(claims):
            raise error
        return await answer(claims)

    for _ in range(6):
        with suppress(type(error)):
            await refresh(db, things, fetch, limit=10, settings=OPTIONS)
    ((key, attempts, why),) = await rows(conn, "select key, attempts, last_error from ops.dead")
    assert (key, attempts) == ("k0003", 3)
    assert str(error) in why
    assert await rows(conn, "select count(*) from probe.thing") == [(4,)]


async def test_what_is_answered_otherwise_is_settled_each_in_its_way(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 5)

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        return [
            thing("k0000"),
            Missing("k0001", "404"),
            Bad("k0002", b"{", "cut"),
            Found("k0003", b'{"number": "x"}'),
            thing("other"),
            Bad(None, b"?", "nameless"),
        ]

    numbers = await refresh(db, things, fetch, limit=10, settings=OPTIONS)
    assert numbers == Numbers(landed=1, changed=1, rejected=4, missing=1, failed=1)
    assert await rows(
        conn, "select key, state, attempts, last_error, due_at > now() from engine.crawl order by 1"
    ) == [
        ("k0000", "active", 0, None, True),
        ("k0001", "gone", 0, None, True),
        ("k0002", "active", 1, "cut", True),
        ("k0003", "active", 1, 'invalid input syntax for type integer: "x"', True),
        ("k0004", "active", 1, "upstream gave no answer for it", True),
    ]
    assert {(key, body) for key, _, body in await rejected(conn)} == {
        ("k0002", b"{"),
        ("k0003", b'{"number": "x"}'),
        ("other", thing("other").body),
        (None, b"?"),
    }


async def test_a_landing_that_fails_is_raised_and_its_batch_comes_back(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 3)
    await conn.execute("alter table probe.thing rename to hidden")
    with pytest.raises(Exception, match=r"probe\.thing"):
        await refresh(db, things, answer, limit=10, settings=OPTIONS)
    await conn.execute("alter table probe.hidden rename to thing")
    numbers = Numbers()
    for _ in range(3):
        numbers.add(await refresh(db, things, answer, limit=1, settings=OPTIONS))
    assert numbers.landed == 3


async def test_cancelled_in_a_fetch_it_gives_the_batch_back(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 20)
    asked: list[list[str]] = []
    hangs = asyncio.Event()

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        asked.append(keys_of(claims))
        if len(asked) == 2:
            hangs.set()
            await asyncio.Event().wait()
        return await answer(claims)

    work = asyncio.create_task(refresh(db, things, fetch, limit=20, settings=OPTIONS))
    await asyncio.wait_for(hangs.wait(), 20)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await rows(conn, "select count(*) from probe.thing") == [(10,)]
    assert (
        await rows(
            conn,
            "select attempts, leased_until = '-infinity' from engine.crawl where key = any(%s)",
            [asked[1]],
        )
        == [(0, True)] * 10
    )


async def test_cancelled_while_it_gives_a_batch_back_it_still_does(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 10)
    asked = asyncio.Event()

    async def fetch(_: Sequence[Claim]) -> Sequence[Item]:
        await conn.execute("lock table engine.crawl in share mode")
        asked.set()
        raise Transient("503")

    async with conn.transaction():
        work = asyncio.create_task(refresh(db, things, fetch, limit=10, settings=OPTIONS))
        await asked.wait()
        await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.sleep(0.1)
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await rows(
        conn, "select distinct attempts, leased_until = '-infinity' from engine.crawl"
    ) == [(0, True)]


async def test_cancelled_in_a_landing_it_lets_it_end(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 10)
    asked = asyncio.Event()

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        asked.set()
        return await answer(claims)

    async with conn.transaction():
        await conn.execute("lock table probe.thing in share mode")
        work = asyncio.create_task(refresh(db, things, fetch, limit=10, settings=OPTIONS))
        await asked.wait()
        await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.sleep(0.1)
        assert not work.done()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await rows(conn, "select count(*) from probe.thing") == [(10,)]


async def test_cancelled_at_random_moments_it_loses_nothing(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, 200)
    chance = random.Random(4)
    for _ in range(25):
        work = asyncio.create_task(refresh(db, things, answer, limit=1000, settings=OPTIONS))
        await asyncio.sleep(chance.random() * 0.03)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert await rows(
        conn, "select count(*) from engine.crawl where leased_until > '-infinity'"
    ) == [(0,)]
    await refresh(db, things, answer, limit=1000, settings=OPTIONS)
    assert await rows(
        conn,
        "select count(*), count(*) filter (where number = right(key, 4)::int) from probe.thing",
    ) == [(200, 200)]
    assert await rows(conn, "select count(*), max(version) from raw.document") == [(200, 1)]
    assert await rows(conn, "select max(attempts) from engine.crawl") == [(0,)]
