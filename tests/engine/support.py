"""What the engine's tests share: things, instants, rows."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg

from etl.engine.crawl import Lease, claim
from etl.engine.database import Database
from etl.engine.items import Found, Resource
from etl.engine.landing import Batch, Ready, Target, store
from etl.settings import Settings

START = datetime(2026, 7, 1, tzinfo=UTC)

Conn = psycopg.AsyncConnection


def thing(key: str, number: object = 1, **more: object) -> Found:
    """A thing as an upstream gives it."""
    return Found(key, orjson.dumps({"number": number, **more}))


def at(hours: float) -> datetime:
    """So many hours after the beginning."""
    return START + timedelta(hours=hours)


async def rows(conn: Conn, query: Any, params: Iterable[object] = ()) -> list[tuple[Any, ...]]:
    """What a query gives."""
    return await (await conn.execute(query, list(params))).fetchall()


async def versions(conn: Conn, key: str) -> list[tuple[int, datetime, Any]]:
    """Number, instant and body of each version of a key."""
    return await rows(
        conn,
        "select version, fetched_at, body from raw.document where key = %s order by version",
        [key],
    )


async def rejected(conn: Conn) -> list[tuple[str | None, str, bytes]]:
    """Key, reason and body of what was set aside."""
    return [
        (key, reason, bytes(body))
        for key, reason, body in await rows(
            conn, "select key, reason, body from raw.rejected order by rejected_id"
        )
    ]


# The crawl schedule of the things
PATIENT = Settings(crawl_attempts=3)


async def discover(conn: Conn, *keys: str) -> int:
    """Add things that are due now; how many were new."""
    ((found,),) = await rows(conn, "select engine.discover('probe.thing', %s)", [list(keys)])
    return int(found)


async def taken(
    db: Database, resource: Resource, count: int, settings: Settings = PATIENT
) -> Lease:
    """A claim that finds something."""
    lease = await claim(db, resource, count, settings)
    assert lease is not None
    return lease


async def run_out(conn: Conn) -> None:
    """Let every lease end, as time would."""
    await conn.execute(
        "update engine.crawl set leased_until = now() where leased_until > '-infinity'"
    )


async def land_claimed(db: Database, resource: Resource, lease: Lease, body: bytes) -> None:
    """Land the same body for everything a lease holds."""
    ready = [Ready(key, body[-16:], None, body) for key in sorted(lease.claims)]
    await store(db, Target(resource, lease, lease.now(), 8), Batch(changed=ready))
