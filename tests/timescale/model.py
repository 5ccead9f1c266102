"""What the roll-ups must say: the plainest aggregate there is, computed beside the database."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.engine.database import Database

STEP = timedelta(minutes=10)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)

Sample = tuple[datetime, int]  # an instant and an island


@dataclass(frozen=True)
class Bucket:
    """One row of a roll-up, but for its instant and island."""

    samples: int
    ccu_sum: int
    peak: int
    peak_at: datetime
    low: int
    first: int
    last: int


Rollup = dict[Sample, Bucket]


def at(text: str) -> datetime:
    """``2026-11-20 10:00`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def series(start: datetime, values: Iterable[int], island: int = 1) -> dict[Sample, int]:
    """Samples of one island, ten minutes apart."""
    return {(start + STEP * n, island): value for n, value in enumerate(values)}


async def put(db: Database, samples: Mapping[Sample, int]) -> None:
    """Insert samples, or overwrite those there are, in one statement."""
    for day in {ts.replace(hour=0, minute=0) for ts, _ in samples}:
        await db.execute("select engine.make_room('fortnite.ccu', %s)", [day])
    rows = sorted(samples)
    await db.execute(
        "insert into fortnite.ccu as c (ts, island_id, ccu)"
        " select * from unnest(%s::timestamptz[], %s::int[], %s::int[])"
        " on conflict (ts, island_id) do update set ccu = excluded.ccu",
        [[ts for ts, _ in rows], [island for _, island in rows], [samples[row] for row in rows]],
    )


async def raw(db: Database) -> dict[Sample, int]:
    """Every sample there is."""
    rows = await db.fetch("select ts, island_id, ccu from fortnite.ccu")
    return {(row["ts"], row["island_id"]): row["ccu"] for row in rows}


async def hourly(db: Database) -> Rollup:
    """What fortnite.ccu_hourly says."""
    return _rollup(await db.fetch("select * from fortnite.ccu_hourly"))


async def daily(db: Database) -> Rollup:
    """What fortnite.ccu_daily says."""
    return _rollup(await db.fetch("select * from fortnite.ccu_daily"))


async def stored(db: Database) -> tuple[int, int]:
    """How many rows of hours and of days are stored, not aggregated when read."""
    row = await db.fetch_one(
        "select (select count(*) from fortnite.ccu_hourly_store) as hours,"
        " (select count(*) from fortnite.ccu_daily_store) as days"
    )
    return row["hours"], row["days"]


def _rollup(rows: list[dict[str, Any]]) -> Rollup:
    found: Rollup = {}
    for row in rows:
        key = (row.pop("ts"), row.pop("island_id"))
        assert key not in found, f"{key} stands there twice"
        found[key] = Bucket(**row)
    return found


def aggregate(samples: Mapping[Sample, int], width: timedelta) -> Rollup:
    """Samples by bucket and island."""
    grouped: dict[Sample, list[tuple[datetime, int]]] = defaultdict(list)
    for (ts, island), ccu in sorted(samples.items()):
        grouped[ORIGIN + (ts - ORIGIN) // width * width, island].append((ts, ccu))
    return {key: _bucket(values) for key, values in grouped.items()}


def _bucket(values: list[tuple[datetime, int]]) -> Bucket:
    counts = [ccu for _, ccu in values]
    peak = max(counts)
    return Bucket(
        samples=len(counts),
        ccu_sum=sum(counts),
        peak=peak,
        peak_at=min(ts for ts, ccu in values if ccu == peak),
        low=min(counts),
        first=counts[0],
        last=counts[-1],
    )


async def check(db: Database, samples: Mapping[Sample, int] | None = None) -> None:
    """The roll-ups equal the aggregate of ``samples``, or of those there are."""
    truth = await raw(db) if samples is None else samples
    assert await hourly(db) == aggregate(truth, HOUR)
    assert await daily(db) == aggregate(truth, DAY)
