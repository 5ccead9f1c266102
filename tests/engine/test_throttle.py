"""Token buckets: shared by all, closed for all, counted by the server's clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg.rows import DictRow

from etl.engine import throttle
from etl.engine.database import Database, Params, open_database
from etl.engine.errors import Transient
from tests.clock import set_ahead

NAME = "test.bucket"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=8) as opened:
        yield opened


class Counting(Database):
    """A database that counts what it is asked."""

    asked = 0

    async def fetch(
        self, query: LiteralString, params: Params = (), *, binary: bool = False
    ) -> list[DictRow]:
        self.asked += 1
        return await super().fetch(query, params, binary=binary)


async def _taken_at(db: Database, started: float, n: float = 1) -> float:
    await throttle.take(db, NAME, n)
    return time.monotonic() - started


async def test_many_workers_pass_one_by_one_at_the_rate(database_url: str, db: Database) -> None:
    await throttle.declare(db, NAME, 2, 20)
    async with open_database(database_url, size=8) as other:
        counting = Counting(db._pool), Counting(other._pool)
        started = time.monotonic()
        times = sorted(
            await asyncio.gather(*(_taken_at(one, started) for one in counting for _ in range(10)))
        )
    # two were there, then one each 50 ms
    late = [at - (i - 1) / 20 for i, at in enumerate(times[2:], start=2)]
    assert all(-0.01 < lag < 2 for lag in late), late
    # whoever waits is promised a turn and asks again only once, when it has come; a slow machine
    # may find a token there that nobody had to wait for
    assert 20 < sum(one.asked for one in counting) <= 2 + 2 * 18


async def test_who_waits_holds_no_connection(database_url: str) -> None:
    async with open_database(database_url, size=1) as db:
        await throttle.declare(db, NAME, 1, 0.5)
        await throttle.take(db, NAME)
        waiting = asyncio.create_task(throttle.take(db, NAME))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(1.5):
            idle = await db.fetch_one(
                "select count(*) as n from pg_stat_activity where state <> 'idle' and "
                "pid <> pg_backend_pid() and datname = current_database() and "
                "backend_type = 'client backend'"
            )
        assert idle["n"] == 0
        assert not waiting.done()
        await waiting


async def test_a_closure_voids_promises_and_those_who_wait_line_up_again(db: Database) -> None:
    await throttle.declare(db, NAME, 1, 20)
    started = time.monotonic()
    waiting = [asyncio.create_task(_taken_at(db, started)) for _ in range(6)]
    await asyncio.sleep(0.02)
    until = await throttle.close(db, NAME, 0.6, "asked to")
    assert timedelta(0) < until - datetime.now(UTC) <= timedelta(seconds=0.6)
    times = sorted(await asyncio.gather(*waiting))
    held = [at for at in times if at > 0.3]
    assert len(held) >= 4
    assert min(held) == pytest.approx(0.62, abs=1)
    # one by one behind the opening, not all at once
    assert max(held) - min(held) == pytest.approx((len(held) - 1) / 20, abs=1)


async def test_an_earlier_closure_does_not_shorten_one(db: Database) -> None:
    await throttle.declare(db, NAME, 1, 10)
    first = await throttle.close(db, NAME, 100, "long")
    assert await throttle.close(db, NAME, 1, "short") == first
    row = await db.fetch_one("select closed, closed_reason, closed_until from ops.throttle")
    assert row == {"closed": True, "closed_reason": "long", "closed_until": first}


async def test_impatience_takes_nothing(db: Database) -> None:
    await throttle.declare(db, NAME, 1, 0.1)
    await throttle.take(db, NAME)
    for _ in range(3):
        with pytest.raises(Transient, match=NAME) as raised:
            await throttle.take(db, NAME, patience=1)
        assert raised.value.retry_at is not None
        assert 8 < (raised.value.retry_at - datetime.now(UTC)).total_seconds() < 10.1


async def test_a_worker_whose_clock_is_wrong_tells_the_turn_as_the_others_do(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await throttle.declare(db, NAME, 1, 0.1)
    await throttle.take(db, NAME)
    with monkeypatch.context() as skewed:
        set_ahead(skewed)
        with pytest.raises(Transient) as raised:
            await throttle.take(db, NAME, patience=1)
    assert raised.value.retry_at is not None
    assert abs(raised.value.retry_at - datetime.now(UTC)) < timedelta(seconds=11)


async def test_patience_ends_when_a_closure_pushes_the_turn_away(db: Database) -> None:
    await throttle.declare(db, NAME, 1, 5)
    await throttle.take(db, NAME)
    waiting = asyncio.create_task(throttle.take(db, NAME, patience=1))
    await asyncio.sleep(0.05)
    until = await throttle.close(db, NAME, 50, "asked to")
    with pytest.raises(Transient) as raised:
        await waiting
    assert raised.value.retry_at is not None
    assert abs(raised.value.retry_at - until) < timedelta(seconds=1)


async def test_a_long_wait_notices_that_its_promise_is_void(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "LOOK", 0.1)
    await throttle.declare(db, NAME, 1, 0.05)
    await throttle.take(db, NAME)
    started = time.monotonic()
    waiting = asyncio.create_task(throttle.take(db, NAME))  # a turn 20 s away
    await asyncio.sleep(0.05)
    await throttle.close(db, NAME, 0.3, "asked to")
    await waiting  # the closure gave the bucket one token at its end
    assert time.monotonic() - started < 8


async def test_a_changed_rate_keeps_tokens_and_closure(db: Database) -> None:
    await throttle.declare(db, NAME, 10, 0.001)
    await throttle.take(db, NAME, 7)
    await throttle.declare(db, NAME, 100, 0.002)
    row = await db.fetch_one("select capacity, per_second, tokens from ops.throttle")
    assert row["capacity"] == 100
    assert row["per_second"] == 0.002
    assert row["tokens"] == pytest.approx(3, abs=1)
    await throttle.close(db, NAME, 60, "asked to")
    await throttle.declare(db, NAME, 2, 0.002)
    row = await db.fetch_one("select closed, tokens from ops.throttle")
    assert row == {"closed": True, "tokens": 1}


async def test_a_bucket_fills_up_to_its_capacity_only(db: Database) -> None:
    await throttle.declare(db, NAME, 3, 1000)
    await throttle.take(db, NAME, 3)
    await asyncio.sleep(0.1)
    row = await db.fetch_one("select tokens, promised from ops.throttle")
    assert row == {"tokens": 3, "promised": 0}


async def test_a_clock_set_back_does_not_freeze_a_bucket(db: Database) -> None:
    await throttle.declare(db, NAME, 1, 10)
    await throttle.take(db, NAME)
    await db.execute("update engine.throttle set refilled_at = now() + interval '1 hour'")
    async with asyncio.timeout(1):
        await throttle.take(db, NAME)


async def test_how_much_of_the_last_full_hour_was_used_is_told(db: Database) -> None:
    await throttle.declare(db, NAME, 10, 0.01)  # 36 an hour

    async def used() -> float:
        row = await db.fetch_one("select used from ops.throttle where name = %s", [NAME])
        return round(float(row["used"]), 3)

    async def hours_later(hours: int) -> None:
        await db.execute(
            "update engine.throttle set hour = hour - make_interval(hours => %s), tokens = 10",
            [hours],
        )

    assert await used() == 0
    await throttle.take(db, NAME, 8)
    await throttle.take(db, NAME, 1)
    assert await used() == 0  # that hour is not over
    await hours_later(1)
    assert await used() == 0.25
    await throttle.take(db, NAME, 1)
    assert await used() == 0.25
    await hours_later(2)
    assert await used() == 0
    await throttle.take(db, NAME, 1)
    assert await used() == 0


async def test_what_cannot_be_is_refused(db: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject, match="not declared"):
        await throttle.take(db, NAME)
    with pytest.raises(psycopg.errors.UndefinedObject, match="not declared"):
        await throttle.close(db, NAME, 1, "x")
    await throttle.declare(db, NAME, 2, 1)
    for n in (3, 0, -1):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="it holds 2 at most"):
            await throttle.take(db, NAME, n)
