"""What tests of metrics set up, hand over and read back."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg.rows import DictRow

from etl.engine import crawl
from etl.engine.database import Database
from etl.fortnite.metrics import METRICS
from etl.settings import Settings

NAMES = {
    "peakCCU": "peak_ccu",
    "uniquePlayers": "unique_players",
    "plays": "plays",
    "minutesPlayed": "minutes_played",
    "averageMinutesPerPlayer": "average_minutes_per_player",
    "favorites": "favorites",
    "recommendations": "recommendations",
    "retentionD1": "retention_d1",
    "retentionD7": "retention_d7",
}
COLUMNS = tuple(NAMES.values())
HOURS = [6, 24, 72]
POPULAR = 50
ATTEMPTS = 8


def at(text: str) -> datetime:
    """An instant, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def listed(
    db: Database, *codes: str, on: str = "2026-11-01", others: str | None = None
) -> None:
    """Islands of the catalogue that are watched since ``on``; ``others``: since when any are."""
    await db.execute(
        "insert into fortnite.island (code, source, first_seen_at, listed_at) "
        "select u.code, 'catalogue', %(at)s, %(at)s from unnest(%(codes)s::text[]) as u (code)",
        {"codes": list(codes), "at": at(on)},
    )
    while (await db.fetch_one("select fortnite.meet_metrics(100000) as met"))["met"]:
        pass
    await db.execute(
        "update fortnite.island_metric_state set watched_from = %s, read_through = %s",
        (date.fromisoformat(on), date.fromisoformat(on) - timedelta(days=1)),
    )
    await db.execute(
        "update engine.watermark set value = value || jsonb_build_object('since', %s::text) "
        "where name = 'fortnite.meet_metrics'",
        (others or on,),
    )


def bucket(ts: str, minutes: int = 1440, *, whole: bool = True, **values: Any) -> dict[str, Any]:
    """A bucket in which all metrics were told, null where no value is given."""
    said = list(COLUMNS) if whole else list(values)
    start = at(ts).isoformat()
    return {"minutes": minutes, "ts": start, "whole": whole, "said": said} | values


def days(first: str, *peaks: int | None) -> list[dict[str, Any]]:
    """A bucket a day from ``first`` on, of which nothing but the peak is told; None: withheld."""
    start = at(first)
    return [
        bucket(f"{start + timedelta(days=n):%Y-%m-%d}")
        | ({} if peak is None else {"peak_ccu": peak})
        for n, peak in enumerate(peaks)
    ]


def read(code: str, read_at: str, *buckets: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A read of an island."""
    return {"code": code, "read_at": at(read_at).isoformat(), "buckets": list(buckets)} | more


async def take(db: Database, *reads: dict[str, Any], popular: int = POPULAR) -> DictRow:
    """Claim every island and hand these reads over."""
    await db.execute(
        "update engine.crawl set due_at = now() - interval '1 second', lease = null, "
        "leased_until = '-infinity' where resource = 'fortnite.metrics'"
    )
    lease = await crawl.claim(db, METRICS, 1000, Settings())
    assert lease is not None
    return await taken_by(db, lease.token, *reads, popular=popular)


async def taken_by(
    db: Database, token: int, *reads: dict[str, Any], popular: int = POPULAR
) -> DictRow:
    """Hand reads over under a lease."""
    return await db.fetch_one(
        "select * from fortnite.take_metrics(%s, %s::jsonb, %s::int[], %s, %s)",
        (token, json.dumps(reads), HOURS, popular, ATTEMPTS),
    )


async def rows(db: Database, code: str, minutes: int = 1440) -> list[DictRow]:
    """What is stored of an island, oldest first."""
    return await db.fetch(
        "select m.* from fortnite.island_metric as m join fortnite.island as i using (island_id) "
        "where i.code = %s and m.bucket_minutes = %s order by m.ts",
        (code, minutes),
    )


async def state(db: Database, code: str) -> DictRow:
    """How far an island was read, and its place in the schedule."""
    return await db.fetch_one(
        "select m.watched_from, m.read_through, m.peak_on, m.peak_ccu, c.class, c.state, c.attempts, "
        "c.last_error, c.due_at, c.last_fetched_at "
        "from fortnite.island as i join fortnite.island_metric_state as m using (island_id) "
        "join engine.crawl as c on c.resource = 'fortnite.metrics' and c.key = i.code "
        "where i.code = %s",
        (code,),
    )


async def lost(db: Database) -> list[tuple[str, str]]:
    """Days that reads found lost: island and day."""
    found = await db.fetch(
        "select i.code, l.day from fortnite.island_metric_lost as l "
        "join fortnite.island as i using (island_id) order by 1, 2"
    )
    return [(row["code"], f"{row['day']:%m-%d}") for row in found]


async def stored(db: Database, code: str, minutes: int = 1440) -> dict[datetime, tuple[Any, ...]]:
    """Metrics of an island by start of the bucket."""
    return {
        row["ts"]: tuple(row[name] for name in COLUMNS) for row in await rows(db, code, minutes)
    }
