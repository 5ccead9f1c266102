"""What CCU tests set up, and what they read back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from etl.engine.database import Database

TS = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)


async def popular(db: Database, *codes: str) -> None:
    """Make these islands candidates: each has a sample above zero in the cycle before."""
    await db.execute(
        "select fortnite.store_ccu(%s, 'test', %s::text[], array_fill(1, array[%s]))",
        (TS - timedelta(minutes=10), list(codes), len(codes)),
    )


async def creator(db: Database, account: str, *codes: str) -> None:
    """Make an account known as the creator of these islands."""
    await db.execute("select fortnite.meet_islands(%s::text[], 'test', now())", (list(codes),))
    await db.execute(
        "update fortnite.island set creator_account_id = %s where code = any(%s)",
        (account, list(codes)),
    )


async def samples(db: Database, ts: datetime = TS) -> dict[str, int]:
    rows = await db.fetch(
        "select i.code, c.ccu from fortnite.ccu as c "
        "join fortnite.island as i using (island_id) where c.ts = %s",
        (ts,),
    )
    return {row["code"]: row["ccu"] for row in rows}


async def listings(db: Database, ts: datetime = TS) -> dict[str, tuple[int, int, int, bool]]:
    rows = await db.fetch("select * from fortnite.ccu_cycle where ts = %s", (ts,))
    assert all(row["finished_at"] is not None for row in rows)
    return {
        row["source"]: (row["expected"], row["observed"], row["negative"], row["complete"])
        for row in rows
    }


async def rejected(db: Database) -> dict[str | None, str]:
    rows = await db.fetch("select key, reason from raw.rejected where resource = 'fortnite.ccu'")
    return {row["key"]: row["reason"] for row in rows}


async def crawled(db: Database, resource: str) -> dict[str, dict[str, Any]]:
    """What the crawl schedule says of each entity of a resource."""
    rows = await db.fetch(
        "select key, state, class, attempts, last_error, due_at <= now() as due from engine.crawl "
        "where resource = %s",
        (resource,),
    )
    return {row["key"]: row for row in rows}
