"""The crawl schedule: who is to be fetched next, and what became of it."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
import structlog

from etl.engine.arrays import TextArray
from etl.engine.database import Database
from etl.engine.items import Claim, Scheduled
from etl.engine.runs import sentence
from etl.engine.text import as_reason
from etl.settings import Settings

log = structlog.get_logger(__name__)

# Arrays in one row: a thousand rows cost the client three times as much.
CLAIM = """
select
  min(lease) as lease,
  min(claimed_at) as claimed_at,
  array_agg(key) as keys,
  array_agg(class) as classes,
  array_agg(attempts) as attempts,
  array_agg(etag) as etags,
  array_agg(body_hash) as hashes
from engine.claim(%s, %s, %s, %s::real[], %s)
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """What one claim gave: entities by key, and the token without which nothing is settled.

    Its instants follow the clock of the database, so that workers whose clocks differ agree.
    """

    token: int
    claims: dict[str, Claim]
    claimed_at: datetime
    started: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The instant it is on the database's clock (UTC)."""
        return self.claimed_at + timedelta(seconds=time.monotonic() - self.started)


async def claim(db: Database, resource: Scheduled, count: int, settings: Settings) -> Lease | None:
    """Lease up to ``count`` entities that are due, for ``settings.crawl_lease`` seconds.

    None where nothing is due. When the worker dies with them, each is
    claimed alone once the lease has run out, and is dead after ``settings.crawl_attempts`` claims.
    """
    started = time.monotonic()
    row = await db.fetch_one(
        CLAIM,
        [
            resource.name,
            count,
            timedelta(seconds=settings.crawl_lease),
            list(resource.shares),
            settings.crawl_attempts,
        ],
    )
    if row["lease"] is None:
        return None
    columns = [row[name] for name in ("keys", "classes", "attempts", "etags", "hashes")]
    claims = dict(zip(row["keys"], map(Claim, *columns), strict=True))
    return Lease(row["lease"], claims, row["claimed_at"], started)


async def release(
    db: Database,
    resource: Scheduled,
    lease: Lease,
    due_at: datetime | None = None,
    *,
    keys: Collection[str] | None = None,
    spread: timedelta = timedelta(0),
) -> int:
    """Give back unblamed what is still leased, due not before ``due_at``; returns how many.

    ``keys``: only these of the lease; None is all. ``spread``: each is due later by a random part
    of it.
    """
    row = await db.fetch_one(
        "select engine.release(%s, %s, %s, %s, %s) as n",
        [
            resource.name,
            lease.token,
            TextArray.of(lease.claims if keys is None else keys),
            due_at,
            spread,
        ],
    )
    return int(row["n"])


async def abandon(
    db: Database, resource: Scheduled, lease: Lease, error: BaseException | None = None
) -> int:
    """End the lease as if its worker had died: each comes back alone. Returns how many.

    ``error`` is kept as the reason, for those that are given up in the end.
    """
    row = await db.fetch_one(
        "select engine.abandon(%s, %s, %s, %s) as n",
        [
            resource.name,
            lease.token,
            TextArray.of(lease.claims),
            None if error is None else sentence(error),
        ],
    )
    return int(row["n"])


async def let_go(
    db: Database, resource: Scheduled, lease: Lease, error: BaseException | None = None
) -> None:
    """End a lease in hand: abandoned for ``error``, given back without one.

    A server that is away will find it run out.
    """
    try:
        if error is None:
            await release(db, resource, lease)
        else:
            await abandon(db, resource, lease, error)
    except psycopg.Error as failed:
        log.warning("lease left to run out", resource=resource.name, reason=str(failed))


async def fail(
    db: Database, resource: Scheduled, lease: Lease, reasons: Mapping[str, str], *, attempts: int
) -> int:
    """Reschedule entities that failed, each for its reason, later each time.

    One that was claimed ``attempts`` times without success is dead until revived. Returns how many
    the lease still held.
    """
    row = await db.fetch_one(
        "select engine.settle_failed(%s, %s, %s, %s, %s) as n",
        [
            resource.name,
            lease.token,
            attempts,
            TextArray.of(reasons),
            TextArray.of([as_reason(why) for why in reasons.values()]),
        ],
    )
    return int(row["n"])
