"""The declaration of a resource and the loop that keeps its entities fresh."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from etl.engine.crawl import Lease, claim, fail, let_go, release
from etl.engine.database import Database
from etl.engine.errors import Transient
from etl.engine.hashing import GONE
from etl.engine.items import (
    Bad,
    Claim,
    Failed,
    Fetch,
    Found,
    Item,
    Missing,
    Numbers,
    Resource,
)
from etl.engine.landing import Batch, Target, land, prepare, store
from etl.settings import Settings

__all__ = [
    "Bad",
    "Claim",
    "Failed",
    "Fetch",
    "Found",
    "Item",
    "Missing",
    "Numbers",
    "Resource",
    "land",
    "refresh",
]

LANDINGS = 2  # batches of one refresh that land at once: while one waits for the disk, one works
GRACE_S = 20.0  # how long a refresh that is cancelled lets its landings end
SPREAD = timedelta(minutes=10)  # within which entities of a failed request are due again
DOUBTED = 10  # entities that were there, from which on it is doubted that all are gone at once

log = structlog.get_logger()

Turn = Callable[[], Awaitable[None]]


async def refresh(
    db: Database,
    resource: Resource,
    fetch: Fetch,
    *,
    limit: int,
    settings: Settings,
    turn: Turn | None = None,
) -> Numbers:
    """Claim, fetch and land entities that are due, batch after batch, ``limit`` at most.

    While batches land, the next is claimed, fetched and prepared. ``turn`` waits before each claim
    until the upstream may be asked, so that no entity is leased meanwhile.

    Ends when nothing is due, or when ``turn`` or ``fetch`` raises Transient, or an answer is
    doubted that has nothing of ten entities or more which were there: then a batch in hand
    is given back, not blamed, due not before ``retry_at``; without one, each within ten minutes at
    a moment of its own, so that one that upstream always stumbles over holds up no others. Any
    other exception of ``fetch`` is raised here after the batch was given up: each of its entities
    is claimed alone next, and is dead after ``settings.crawl_attempts`` claims. What fetch gives
    nothing for, or Failed, counts as failed and comes back later. Cancelled, it lets landings in
    flight end and gives back what it holds. Killed, it leaves whole batches, and leases that run out.

    Raises:
        psycopg.Error: the server refused something that is not the data's fault.
    """
    work = _Refresh(db, resource, settings)
    try:
        await work.run(fetch, limit, turn)
        await work.landed(0)
    except asyncio.CancelledError:
        await work.stop()
        raise
    except Exception as error:
        await work.stop(error)
        raise
    return work.numbers


class _Refresh:
    """One refresh under way: at most one batch in hand while at most two land."""

    def __init__(self, db: Database, resource: Resource, settings: Settings) -> None:
        self.numbers = Numbers()
        self._db = db
        self._resource = resource
        self._settings = settings
        self._held: Lease | None = None
        self._landing: set[asyncio.Task[None]] = set()

    async def run(self, fetch: Fetch, limit: int, turn: Turn | None) -> None:
        """Batch after batch, until nothing is due or the upstream cannot be asked."""
        left = limit
        while left > 0:
            try:
                if turn is not None:
                    await turn()
            except Transient as error:
                self._paused(error)
                break
            lease = await self._claim(min(self._resource.batch, left))
            if lease is None:
                break
            left -= len(lease.claims)
            try:
                items = await fetch(list(lease.claims.values()))
                _doubt(lease, items)
            except Transient as error:
                await self._give_back(lease, error)
                break
            refused = {item.key: item.reason for item in items if isinstance(item, Failed)}
            given = [item for item in items if not isinstance(item, Failed)]
            batch = _prepare(self._resource, lease, given)
            fetched_at = lease.now()
            await self.landed(LANDINGS - 1)
            self._held = None
            self._landing.add(asyncio.create_task(self._land(lease, batch, refused, fetched_at)))

    async def landed(self, most: int) -> None:
        """Wait until at most so many batches are landing; raises what went wrong with one."""
        while len(self._landing) > most:
            done, self._landing = await asyncio.wait(
                self._landing, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()

    async def stop(self, error: Exception | None = None) -> None:
        """End what is under way, because of ``error`` if any, without losing anything of it."""
        if self._landing:
            _, late = await asyncio.wait(self._landing, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._landing, return_exceptions=True)
        if self._held is not None:
            await let_go(self._db, self._resource, self._held, error)

    async def _claim(self, count: int) -> Lease | None:
        """Claim without being cut off between the lease and the knowledge of it."""
        task = asyncio.create_task(claim(self._db, self._resource, count, self._settings))
        try:
            self._held = await asyncio.shield(task)
        except asyncio.CancelledError:
            self._held = await task
            raise
        return self._held

    def _paused(self, error: Transient) -> None:
        log.warning("refresh paused", resource=self._resource.name, reason=error.reason)

    async def _give_back(self, lease: Lease, error: Transient) -> None:
        self._paused(error)
        due_at, spread = error.retry_at, timedelta(0)
        if due_at is None:  # left as they were, they would be the next batch again, for ever
            due_at, spread = lease.now(), SPREAD
        self.numbers.failed += await release(self._db, self._resource, lease, due_at, spread=spread)
        self._held = None

    async def _land(
        self, lease: Lease, batch: Batch, refused: dict[str, str], fetched_at: datetime
    ) -> None:
        attempts = self._settings.crawl_attempts
        try:
            target = Target(self._resource, lease, fetched_at, attempts)
            self.numbers.add(await store(self._db, target, batch))
            failed = _silent(lease, batch) | refused
            if failed:
                self.numbers.failed += await fail(
                    self._db, self._resource, lease, failed, attempts=attempts
                )
        except BaseException as error:
            await let_go(self._db, self._resource, lease, error)
            raise


def _doubt(lease: Lease, items: Sequence[Item | Failed]) -> None:
    """Raise Transient for an answer that knows nothing: an upstream that lost its data gives it, too."""
    there = sum(claimed.body_hash not in (None, GONE) for claimed in lease.claims.values())
    if there >= DOUBTED and all(isinstance(item, Missing) for item in items):
        raise Transient(f"it has none of {len(lease.claims)} entities, {there} of which were there")


def _prepare(resource: Resource, lease: Lease, items: Sequence[Item]) -> Batch:
    """Prepare what was asked for; the rest is set aside."""
    known = {key: claimed.body_hash for key, claimed in lease.claims.items()}
    asked = [item for item in items if item.key is None or item.key in known]
    batch = prepare(resource, asked, known)
    if len(asked) < len(items):
        others = (item for item in items if item.key is not None and item.key not in known)
        batch.bad += [Bad(item.key, _body(item), "nobody asked for it") for item in others]
    return batch


def _silent(lease: Lease, batch: Batch) -> dict[str, str]:
    """Why those fail that nothing was given for."""
    answered = batch.same.keys() | {ready.key for ready in batch.changed}
    answered |= {item.key for item in batch.bad if item.key is not None}
    return dict.fromkeys(lease.claims.keys() - answered, "upstream gave no answer for it")


def _body(item: Item) -> bytes:
    return b"" if isinstance(item, Missing) else item.body
