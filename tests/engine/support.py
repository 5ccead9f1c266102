"""What the engine's tests share: things, instants, rows."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg

from etl.engine.items import Found

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
