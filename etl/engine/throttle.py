"""Token buckets in PostgreSQL: how fast an upstream is asked, all workers on all hosts together."""

import asyncio
import time
from datetime import datetime

from etl.engine.database import Database
from etl.engine.errors import Transient

LOOK = 30.0
"""Seconds after which a waiting worker looks whether the bucket was closed or changed meanwhile."""


async def declare(db: Database, name: str, capacity: float, per_second: float) -> None:
    """Make the bucket ``name``, or change it; tokens it holds, and a closure, are kept.

    ``capacity``: requests that may follow each other without a pause, 1 or more.
    """
    await db.execute(
        "select engine.throttle_declare(%s, %s::float8, %s::float8)", (name, capacity, per_second)
    )


async def take(db: Database, name: str, n: float = 1, *, patience: float | None = None) -> None:
    """Wait until ``n`` requests may be sent. The server's clock alone decides when.

    A worker that must wait is promised its turn and sleeps until then without a connection, so
    that workers pass one by one. When the bucket is closed meanwhile the promise is void and it
    lines up again. A worker that dies while it waits costs its own tokens, nothing else.

    Args:
        db: the database of the buckets.
        name: a declared bucket.
        n: tokens to take, at most the bucket's capacity.
        patience: seconds the turn may be away; None waits for ever.

    Raises:
        Transient: the turn is further away than ``patience``; nothing was taken. ``retry_at`` is
            that turn.
        psycopg.errors.UndefinedObject: no such bucket.
    """
    deadline = None if patience is None else time.monotonic() + patience
    ticket = None
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        row = await db.fetch_one(
            "select t.*, clock_timestamp() + make_interval(secs => t.wait_s) as turn_at "
            "from engine.throttle_take(%s, %s::float8, %s::float8, %s::float8) as t",
            (name, n, left, ticket),
        )
        if not row["granted"]:
            raise Transient(
                f"throttle {name}: the next turn is {row['wait_s']:.1f} s away",
                row["turn_at"],
            )
        if row["wait_s"] <= 0:
            return
        ticket = row["ticket"]
        await _wait(db, name, row["wait_s"], ticket)


async def close(db: Database, name: str, seconds: float, reason: str) -> datetime:
    """Keep everyone from taking for ``seconds`` from now, and tell until when (UTC).

    A closure that ends later stays as it is. What was promised to waiting workers is void.
    """
    row = await db.fetch_one(
        "select engine.throttle_close(%s, %s::float8, %s) as until", (name, seconds, reason)
    )
    until: datetime = row["until"]
    return until


async def _wait(db: Database, name: str, seconds: float, ticket: float) -> None:
    """Sleep until the promised turn, or until a look shows that the promise is void."""
    turn = time.monotonic() + seconds
    while (left := turn - time.monotonic()) > 0:
        await asyncio.sleep(min(left, LOOK))
        if left > LOOK and not await _holds(db, name, ticket):
            return


async def _holds(db: Database, name: str, ticket: float) -> bool:
    row = await db.fetch_one(
        "select extract(epoch from closed_until)::float8 = %s as holds "
        "from engine.throttle where name = %s",
        (ticket, name),
    )
    held: bool = row["holds"]
    return held
