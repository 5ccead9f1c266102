"""The crawl schedule on a real server: order, shares, intervals, and what failed coming back."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from etl.engine import crawl
from etl.engine.crawl import claim
from etl.engine.database import Database
from etl.engine.items import Resource
from etl.engine.landing import Batch, Ready, Target, store
from tests.engine.support import PATIENT, Conn, discover, land_claimed, rows, taken


async def test_discovered_entities_are_due_first_and_known_ones_stay(
    db: Database, conn: Conn, things: Resource
) -> None:
    assert await discover(conn, "b", "a", "b") == 2
    await conn.execute("update engine.crawl set class = 2, due_at = now() - interval '9 d'")
    assert await discover(conn, "a", "c") == 1
    lease = await taken(db, replace(things, shares=(1, 0, 0, 0)), 1)
    assert list(lease.claims) == ["c"]


async def test_the_longest_due_of_a_class_comes_first(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, *"abcdef")
    await conn.execute(
        "update engine.crawl set class = 2, due_at = now() - interval '1 h' * strpos('fbeadc', key)"
    )
    order = [sorted((await taken(db, things, 2)).claims) for _ in range(3)]
    assert order == [["c", "d"], ["a", "e"], ["b", "f"]]


async def test_each_class_gets_its_share_and_what_others_leave(
    db: Database, conn: Conn, things: Resource
) -> None:
    """Neither starves: a full backlog of one class leaves the others their part."""
    for klass in range(4):
        await discover(conn, *(f"{klass}{n:03}" for n in range(300)))
    await conn.execute("update engine.crawl set class = left(key, 1)::smallint")
    full = await taken(db, things, 100)
    assert Counter(c.klass for c in full.claims.values()) == {0: 40, 1: 30, 2: 25, 3: 5}
    await conn.execute("delete from engine.crawl where class in (0, 1)")
    rest = await taken(db, things, 100)
    assert Counter(c.klass for c in rest.claims.values()) == {2: 95, 3: 5}


async def test_a_claim_of_one_reaches_every_class_in_the_long_run(
    db: Database, conn: Conn, things: Resource
) -> None:
    for klass in (0, 3):
        await discover(conn, *(f"{klass}{n:03}" for n in range(200)))
    await conn.execute("update engine.crawl set class = left(key, 1)::smallint")
    even = replace(things, shares=(0.5, 0.0, 0.0, 0.5))
    seen: Counter[int] = Counter()
    for _ in range(40):
        seen.update(c.klass for c in (await taken(db, even, 1)).claims.values())
    assert seen[0] > 5
    assert seen[3] > 5


async def test_a_failure_is_tried_later_and_later_then_dead(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, "a")
    waits = []
    for _ in range(3):
        lease = await taken(db, things, 1)
        assert await crawl.fail(db, things, lease, {"a": "no\0 luck"}, attempts=3) == 1
        ((wait, state, error),) = await rows(
            conn, "select due_at - now(), state, last_error from engine.crawl"
        )
        waits.append((wait, state))
        assert error == r"no\0 luck"
        await conn.execute("update engine.crawl set due_at = now() where state <> 'dead'")
    assert [state for _, state in waits] == ["active", "active", "dead"]
    assert waits[0][0] * 1.9 < waits[1][0] < waits[0][0] * 2.1
    assert timedelta(minutes=1.5) < waits[0][0] < timedelta(minutes=2.5)
    assert await claim(db, things, 1, PATIENT) is None


async def test_a_success_clears_blame_and_sets_the_interval_of_its_class(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, "new", "popular", "plain", "dead")
    await conn.execute("update engine.crawl set attempts = 2, last_error = 'x', state = 'active'")
    await conn.execute(
        "update engine.crawl set class = array_position('{new,popular,plain,dead}', key) - 1"
    )
    lease = await taken(db, things, 10)
    await land_claimed(db, things, lease, b'{"number": 12345678}')
    found = await rows(
        conn,
        """
        select key, class, attempts, last_error, leased_until = '-infinity', due_at - last_fetched_at
        from engine.crawl order by class, key desc
        """,
    )
    assert {key: klass for key, klass, *_ in found} == {
        "new": 2,
        "popular": 1,
        "plain": 2,
        "dead": 3,
    }
    for key, _, attempts, error, settled, wait in found:
        assert (attempts, error, settled) == (0, None, True)
        every = things.every[["new", "popular", "plain", "dead"].index(key)]
        assert every * 0.9 <= wait <= every * 1.1


async def test_due_times_spread_and_repeat(conn: Conn) -> None:
    query = """
    select count(distinct due), min(due), max(due), count(*) filter (where due <> again)
    from (
      select
        engine.next_due('key ' || n, '2026-07-01', '10 h') as due,
        engine.next_due('key ' || n, '2026-07-01', '10 h') as again
      from generate_series(1, 1000) as n
    ) as s
    """
    ((distinct, first, last, differing),) = await rows(conn, query)
    assert distinct > 950
    assert timedelta(minutes=110) < last - first <= timedelta(hours=2)
    assert differing == 0


async def test_what_is_gone_is_asked_for_less_and_less(
    db: Database, conn: Conn, things: Resource
) -> None:
    await discover(conn, "a")
    waits = []
    for turn in range(5):
        lease = await taken(db, things, 1)
        gone = Ready("a", b"", None, b"null")
        batch = Batch(changed=[gone]) if turn == 0 else Batch(same={"a": b""})
        numbers = await store(db, Target(things, lease, lease.now(), 8), batch)
        assert numbers.missing == 1
        ((wait, state),) = await rows(
            conn, "select due_at - last_fetched_at, state from engine.crawl"
        )
        assert state == "gone"
        waits.append(wait)
        # so much time passes as was waited for, and a day more
        await conn.execute(
            "update engine.crawl set last_changed_at = last_changed_at - %s - interval '1 d', "
            "due_at = now()",
            [wait],
        )
    assert waits == sorted(waits)
    assert waits[-1] > 5 * waits[1]
    await conn.execute("update engine.crawl set last_changed_at = now() - interval '2 years'")
    lease = await taken(db, things, 1)
    await store(db, Target(things, lease, lease.now(), 8), Batch(same={"a": b""}))
    ((wait,),) = await rows(conn, "select due_at - last_fetched_at from engine.crawl")
    assert wait <= timedelta(days=33)


async def test_the_backlog_counts_what_waits(db: Database, conn: Conn, things: Resource) -> None:
    await discover(conn, *"abcdef")
    lease = await taken(db, things, 2)
    assert await rows(
        conn, "select resource, class, entities, due, leased, retrying, dead from ops.backlog"
    ) == [("probe.thing", 0, 6, 4, 2, 0, 0)]
    await crawl.fail(db, things, lease, dict.fromkeys(lease.claims, "no"), attempts=9)
    assert await rows(conn, "select due, leased, retrying from ops.backlog") == [(4, 0, 2)]


@pytest.mark.parametrize("count", [1, 7])
async def test_a_claim_is_no_larger_than_asked(
    db: Database, conn: Conn, things: Resource, count: int
) -> None:
    for klass in range(4):
        await discover(conn, *(f"{klass}{n:03}" for n in range(20)))
    await conn.execute("update engine.crawl set class = left(key, 1)::smallint")
    for _ in range(8):
        assert len((await taken(db, things, count)).claims) == count
