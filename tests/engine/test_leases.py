"""Leases on a real server: one holder an entity, and what becomes of those whose holder dies."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from etl.engine import crawl
from etl.engine.crawl import claim
from etl.engine.database import Database
from etl.engine.items import Resource
from etl.engine.landing import Batch, Ready, Target, store
from tests.engine.support import PATIENT, Conn, discover, land_claimed, rows, run_out, taken


async def test_a_leased_entity_is_not_claimed_again(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, *"abcd")
    first = await taken(db, things, 3)
    second = await taken(db, things, 3)
    assert len(first.claims) == 3
    assert first.claims.keys() | second.claims.keys() == set("abcd")
    assert await claim(db, things, 3, PATIENT) is None


async def test_attempts_rise_at_the_claim(db: Database, conn: Conn, things: Resource) -> None:
    await discover(conn, "a")
    lease = await taken(db, things, 1)
    assert lease.claims["a"].attempts == 1
    assert await rows(conn, "select attempts from engine.crawl") == [(1,)]


async def test_what_a_dead_worker_held_is_claimed_one_by_one(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, *"abcde")
    await taken(db, things, 3)
    await run_out(conn)
    seen = []
    while (lease := await claim(db, things, 10, PATIENT)) is not None:
        seen.append(sorted(lease.claims))
    assert sorted(seen) == [["a"], ["b"], ["c"], ["d", "e"]]


async def test_what_dead_workers_held_takes_half_of_the_claims_while_more_is_due(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, *(f"held{n:03}" for n in range(200)))
    await taken(db, things, 200)
    await run_out(conn)
    await discover(conn, *(f"other{n:03}" for n in range(200)))
    sizes = [len((await taken(db, things, 2)).claims) for _ in range(100)]
    assert 25 < sizes.count(1) < 75
    assert sizes.count(1) + sizes.count(2) == 100


async def test_what_kills_every_worker_is_dead_in_the_end_and_can_be_revived(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, "killer", "other")
    await taken(db, things, 2)
    for _ in range(PATIENT.crawl_attempts - 1):
        await run_out(conn)
        while (lease := await claim(db, things, 10, PATIENT)) is not None:
            if "other" in lease.claims:
                await crawl.release(db, things, lease)
                await conn.execute(
                    "update engine.crawl set due_at = 'infinity' where key = 'other'"
                )
    await run_out(conn)
    assert await claim(db, things, 10, PATIENT) is None
    ((key, attempts, error),) = await rows(conn, "select key, attempts, last_error from ops.dead")
    assert (key, attempts) == ("killer", 3)
    assert "died" in error
    assert await rows(conn, "select ops.revive('probe.thing', 'nobody')") == [(0,)]
    assert await rows(conn, "select ops.revive('probe.thing')") == [(1,)]
    revived = await taken(db, things, 10)
    assert revived.claims["killer"].attempts == 1


async def test_a_resource_that_is_none_is_refused_with_those_there_are(
    conn: Conn, things: Resource
) -> None:
    for there, hint in ((), "There are none yet."), (("a",), "There are probe.thing."):
        await discover(conn, *there)
        with pytest.raises(
            psycopg.errors.UndefinedObject, match=r"no resource named probe\.think is crawled"
        ) as said:
            await conn.execute("select ops.revive('probe.think')")
        assert said.value.diag.message_hint == hint


async def test_one_that_is_dead_does_not_stand_in_the_way_of_others(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, "killer")
    await taken(db, things, 1)
    await run_out(conn)
    await conn.execute("update engine.crawl set attempts = 3")
    await discover(conn, "other")
    assert list((await taken(db, things, 10)).claims) == ["other"]


async def test_a_claim_waits_for_no_lock(db: Database, conn: Conn, things: Resource) -> None:
    await discover(conn, *"abc")
    async with conn.transaction():
        await conn.execute("select from engine.crawl where key = 'b' for update")
        async with asyncio.timeout(10):
            assert set((await taken(db, things, 10)).claims) == {"a", "c"}


async def test_what_is_given_back_is_not_blamed_and_waits_as_asked(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, "a", "b")
    lease = await taken(db, things, 2)
    later = lease.now() + timedelta(hours=1)
    assert await crawl.release(db, things, lease, later) == 2
    assert await crawl.release(db, things, lease, later) == 0
    assert (
        await rows(conn, "select attempts, leased_until = '-infinity', due_at from engine.crawl")
        == [(0, True, later)] * 2
    )


async def test_what_is_given_up_comes_back_alone(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, *"abc")
    assert await crawl.abandon(db, things, await taken(db, things, 3)) == 3
    for _ in range(3):
        (claimed,) = (await taken(db, things, 3)).claims.values()
        assert claimed.attempts == 2


async def test_a_late_worker_lands_and_settles_nothing(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, "a", "b")
    late = await taken(db, things, 2)
    await run_out(conn)
    for _ in range(2):
        await taken(db, things, 1)
    before = await rows(conn, "select * from engine.crawl order by key")
    batch = Batch(changed=[Ready("a", b"x" * 16, None, b'{"number": 1}')], same={"b": b"y" * 16})
    numbers = await store(db, Target(things, late, late.now(), 8), batch)
    assert (numbers.landed, numbers.failed) == (0, 2)
    assert await crawl.fail(db, things, late, {"a": "late"}, attempts=1) == 0
    assert await crawl.release(db, things, late) == 0
    assert await crawl.abandon(db, things, late) == 0
    assert await rows(conn, "select * from engine.crawl order by key") == before
    assert await rows(conn, "select count(*) from raw.document") == [(0,)]


async def test_eight_workers_share_the_work_without_overlap(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, *(f"k{n:04}" for n in range(400)))
    seen: list[str] = []

    async def worker() -> None:
        while (lease := await claim(db, things, 10, PATIENT)) is not None:
            seen.extend(lease.claims)
            await land_claimed(db, things, lease, b'{"number": 1234567890}')

    await asyncio.gather(*(worker() for _ in range(8)))
    assert sorted(seen) == [f"k{n:04}" for n in range(400)]
    assert await rows(conn, "select count(*) from raw.document") == [(400,)]
