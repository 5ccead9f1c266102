"""Replay on a real server: the same rows, chunk by chunk, also when killed or refused."""

import asyncio
import random
from dataclasses import replace

import psycopg
import pytest

from etl.engine import replay as module
from etl.engine.database import Database
from etl.engine.items import Found, Item, Missing, Numbers, Resource
from etl.engine.landing import LAND, Ready, Target, parameters
from etl.engine.replay import entities, replay, replay_rejected
from etl.engine.resource import land
from etl.errors import PlainError
from tests.engine.support import Conn, at, rejected, rows, thing

TYPED = "select * from probe.thing order by key"
LOGGED = "select key, at, body from probe.log order by key, at, body is null"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 7, so that a few entities make several."""
    monkeypatch.setattr(module, "CHUNK", 7)


async def history(db: Database, things: Resource) -> None:
    """Thirty things that change, vanish and come back over a day, from two resources."""
    chance = random.Random(7)
    other = replace(things, name="probe.other")
    for hour in range(24):
        page: list[Item] = []
        for n in chance.sample(range(30), 12):
            gone = chance.random() < 0.1
            page.append(
                Missing(f"k{n:02}", "404") if gone else thing(f"k{n:02}", chance.randrange(4))
            )
        await land(db, things if hour % 3 else other, page, at(hour))


async def test_a_replay_gives_the_same_rows(
    db: Database, conn: Conn, things: Resource, small: None
) -> None:
    await history(db, things)
    typed, logged = await rows(conn, TYPED), await rows(conn, LOGGED)
    assert len(typed) == 30
    await conn.execute(
        "update probe.thing set number = 99, label = 'spoilt'; delete from probe.log"
    )
    steps: list[int] = []
    other = replace(things, name="probe.other")
    numbers = await replay(db, [things, other], progress=steps.append)
    assert await rows(conn, TYPED) == typed
    assert await rows(conn, LOGGED) == logged
    assert numbers == Numbers(landed=30, changed=len(logged))
    assert steps == [7, 7, 7, 7, 2]


async def test_a_replay_that_is_cut_off_can_be_resumed_or_begun_again(
    db: Database, conn: Conn, things: Resource, small: None
) -> None:
    await history(db, things)
    both = [things, replace(things, name="probe.other")]
    typed, logged = await rows(conn, TYPED), await rows(conn, LOGGED)
    await conn.execute("update probe.thing set number = 99; delete from probe.log")

    class CutError(Exception):
        pass

    def cut(_: int) -> None:
        if await_count.pop() == 0:
            raise CutError

    await_count = [0, 1]
    with pytest.raises(CutError):
        await replay(db, both, progress=cut)
    assert await rows(conn, "select count(*) from probe.thing where number = 99") == [(16,)]
    assert await entities(db, both, resume=True) == 16
    assert (await replay(db, both, resume=True)).landed == 16
    assert await rows(conn, TYPED) == typed
    assert await rows(conn, LOGGED) == logged
    assert await entities(db, both, resume=True) == 30
    assert (await replay(db, both)).landed == 30
    assert await rows(conn, LOGGED) == logged


async def test_landing_goes_on_during_a_replay(
    db: Database, conn: Conn, things: Resource, small: None
) -> None:
    await history(db, things)
    both = [things, replace(things, name="probe.other")]

    async def landing() -> None:
        for hour in range(30, 50):
            page = [thing(f"k{n:02}", hour) for n in range(30)]
            assert (await land(db, things, page, at(hour))).landed == 30

    await asyncio.gather(landing(), *(replay(db, both) for _ in range(3)))
    assert await rows(conn, "select count(*) from probe.thing where number = 49") == [(30,)]
    assert not await rows(
        conn,
        "select key, version from raw.document except "
        "select d.key, d.version from raw.document as d join probe.log as l "
        "on l.key = d.key and l.at = d.fetched_at and l.body = d.body",
    )
    assert await rows(conn, "select count(*) from probe.log") == await rows(
        conn, "select count(*) from raw.document"
    )


async def test_a_replay_waits_for_a_landing_under_way(
    db: Database, conn: Conn, things: Resource, database_url: str
) -> None:
    await land(db, things, [thing("a", 1)], at(0))
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        ready = Ready("a", b"2" * 16, None, thing("a", 2).body)
        target = Target(things, None, at(1), 0)
        await other.execute(LAND, parameters(target, [ready], {}))
        work = asyncio.create_task(replay(db, [things]))
        await asyncio.sleep(0.3)
        assert not work.done()
        await other.commit()
        await work
    assert await rows(conn, "select number from probe.thing") == [(2,)]


async def test_an_entity_that_cannot_be_replayed_keeps_its_rows_and_is_set_aside(
    db: Database, conn: Conn, things: Resource
) -> None:
    await land(db, things, [thing(f"k{n:02}", n) for n in range(20)], at(0))
    await conn.execute("update raw.document set body = '{\"number\": \"x\"}' where key = 'k13'")
    numbers = await replay(db, [things])
    assert (numbers.landed, numbers.rejected) == (19, 1)
    assert await rows(conn, "select number from probe.thing where key = 'k13'") == [(13,)]
    ((key, reason),) = await rows(
        conn, "select key, reason from raw.rejected where replayed_at is null"
    )
    assert key == "k13"
    assert reason.startswith("cannot be replayed: invalid input syntax for type integer")
    await conn.execute("update raw.document set body = '{\"number\": 5}' where key = 'k13'")
    assert (await replay(db, [things])).landed == 20
    assert await rows(conn, "select number from probe.thing where key = 'k13'") == [(5,)]
    assert await rows(conn, "select * from raw.rejected where replayed_at is null") == []


async def test_what_was_set_aside_is_landed_after_a_fix(
    db: Database, conn: Conn, things: Resource
) -> None:
    strict = replace(things, body_limit=15)
    bodies = [thing("a", 1, label="long"), thing("b", 1, label="long"), Found("c", b"{bad}")]
    await land(db, strict, bodies, at(0))
    await land(db, strict, [thing("b", 2)], at(1))
    assert len(await rejected(conn)) == 3
    # cut to 15 bytes they could not be landed: as if the limit had been another thing
    await conn.execute(
        "update raw.rejected set body = %s where key in ('a', 'b')", [bodies[0].body]
    )
    numbers = await replay_rejected(db, things)
    assert (numbers.landed, numbers.rejected) == (1, 1)
    assert await rows(conn, "select key, number, label from probe.thing order by key") == [
        ("a", 1, "long"),
        ("b", 2, None),
    ]
    assert await rows(
        conn, "select key, replayed_at is not null from raw.rejected order by key"
    ) == [("a", True), ("b", True), ("c", False)]
    assert (await replay_rejected(db, things)).landed == 0


async def test_resources_of_two_tables_are_not_replayed_together(
    db: Database, things: Resource
) -> None:
    with pytest.raises(PlainError, match=r"one table; given: probe\.thing, probe\.other"):
        await replay(db, [things, replace(things, name="probe.other", table="probe.other")])
