"""Marked documents to Elasticsearch: lease, draw a version, read, send, delete the marks.

Each step is a statement of its own that commits. Whatever dies between two of them, and however many
workers do it at once, the last change of a document is the one that stays: it has a mark no older
sync can delete, and a version, drawn after that mark and before the row was read, that no older
sync can reach. Elasticsearch forgets what it deleted, so a delete is sent once more, a lease later.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
import structlog
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.search.bulk import Pace
from etl.search.client import SearchUnavailable
from etl.search.epoch import acknowledge, begin, check, current, note
from etl.search.fill import fill
from etl.search.indices import INDICES, ensure_one, promote
from etl.search.reconcile import catch_up
from etl.search.steps import Batch, Lease, Sent, draw, lease, read, send, settle
from etl.settings import Settings

log = structlog.get_logger(__name__)

__all__ = ["Batch", "Lease", "Numbers", "Sent", "draw", "lease", "read", "send", "settle", "sync"]

AGAIN = """
select
  search.delete_again(%(index)s, make_interval(secs => %(lease)s))
  + search.retry_elsewhere(%(index)s, coalesce((
    select t.physical from search.target as t
    where t.index = %(index)s and t.state in ('building', 'live')
    order by t.state limit 1
  ), '')) as marked
"""

ROUNDS = 3
"""Times a run starts again after it found an index lost or the database restored."""


@dataclass
class Numbers:
    """What a sync did. A document that a later sync overtook counts as sent.

    ``restored``: the database or Elasticsearch was found to come from a backup; indices are being
    built again.
    """

    sent: int = 0
    deleted: int = 0
    rejected: int = 0
    restored: bool = False


async def sync(
    db: Database,
    es: AsyncElasticsearch,
    settings: Settings,
    *,
    limit: int | None = None,
    progress: Callable[[Numbers], None] | None = None,
) -> Numbers:
    """Send what is marked until nothing is free, or ``limit`` documents of each index were taken.

    Makes the indices first, and lets one that was built take its place at the end. Without a
    ``limit`` an index that lacks documents is filled, too; with one that is left to
    :func:`etl.search.rebuild.turn`. An index that cannot be written keeps no other from its turn.
    ``progress`` is told the numbers so far after each batch. Killed anywhere, what it held is free
    again when its lease ends.

    Raises:
        SearchUnavailable: Elasticsearch is away or takes no writes; what waits keeps its marks.
        SearchForbidden: the API key is too weak.
    """
    # First: what changes often piles up while Elasticsearch is away.
    await db.execute("select search.merge_marks(i) from unnest(%s::text[]) as i", (list(INDICES),))
    numbers = Numbers(restored=await check(db, es, settings))
    kept: SearchUnavailable | None = None
    for index in INDICES:
        run = _Run(db, es, settings, index, numbers, limit, progress, Pace(settings.search_bytes))
        try:
            await run.to_the_end()
        except SearchUnavailable as error:
            kept = kept or error
    if kept is not None:
        raise kept
    return numbers


@dataclass
class _Run:
    """One sync of one index. Batches overlap: while some are sent, others are read or settled."""

    db: Database
    es: AsyncElasticsearch
    settings: Settings
    index: str
    numbers: Numbers
    left: int | None
    progress: Callable[[Numbers], None] | None
    pace: Pace
    epoch: int = 0
    stopped: bool = False
    lost: bool = False
    foreign: int = 0
    waiting: dict[str, str] = field(default_factory=dict)

    async def to_the_end(self) -> None:
        """Drain; start again when an index was lost or the database restored meanwhile."""
        for _ in range(ROUNDS):
            self.epoch = await current(self.db)
            await ensure_one(self.db, self.es, self.settings, self.index)
            if self.left is None:
                await fill(self.db, self.es, self.settings, self.index, progress=self._filled)
                await catch_up(self.db, self.es, self.index)
            await self._mark_again()
            await self._drain()
            if self.foreign:
                await self._restored()
            elif not self.lost:
                self._complain()
                await promote(self.db, self.es, self.settings, self.index)
                return
            self.stopped, self.lost, self.foreign = False, False, 0
            self.waiting.clear()
        raise SearchUnavailable(
            f"index {self.index} was lost again each time it was made: look at who deletes it"
        )

    def _complain(self) -> None:
        if self.waiting:
            reason = next(iter(self.waiting.values()))
            raise SearchUnavailable(
                f"{len(self.waiting)} documents of {self.index} keep waiting, "
                f"{self.numbers.sent} were sent: {reason}"
            )

    async def _restored(self) -> None:
        """Elasticsearch has versions this database never drew: it must be built again."""
        await begin(self.db, self.epoch, self.foreign)
        self.numbers.restored = True

    async def _mark_again(self) -> None:
        """Mark what was deleted a lease ago, and what an index before this one refused."""
        params = {"index": self.index, "lease": self.settings.search_lease}
        while (await self.db.fetch_one(AGAIN, params))["marked"]:
            pass

    async def _drain(self) -> None:
        """Let enough batches overlap to keep every connection busy; raise what stopped one."""
        gate = asyncio.Semaphore(self.settings.search_connections)
        lanes = [self._lane(gate) for _ in range(self.settings.search_connections + 2)]
        for result in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _lane(self, gate: asyncio.Semaphore) -> None:
        """One batch after another until nothing is free, or something stopped the run."""
        while not self.stopped and (n := self._share()):
            leased = await lease(self.db, self.settings, self.index, n)
            if self.left is not None:
                self.left += n - (len(leased.ids) if leased else 0)
            if leased is None:
                return
            try:
                await self._batch(leased, gate)
            except Exception:
                self.stopped = True
                with suppress(psycopg.Error):
                    await settle(self.db, leased, Sent(waiting=dict.fromkeys(leased.ids, "")))
                raise

    def _share(self) -> int:
        n = self.settings.search_batch
        if self.left is not None:
            n = min(n, self.left)
            self.left -= n
        return n

    async def _batch(self, leased: Lease, gate: asyncio.Semaphore) -> None:
        version = await draw(self.db)
        batch, _ = await asyncio.gather(read(self.db, leased, version), self._note(version))
        async with gate:
            outcome = await send(self.es, self.settings, leased, batch, self.pace)
        if outcome.highest > batch.version and await self._never_drawn(outcome.highest):
            self.foreign = max(self.foreign, outcome.highest)
            outcome.waiting = dict.fromkeys(leased.ids, "the database was restored")
        self.lost |= outcome.lost
        self.waiting |= outcome.waiting
        self.stopped |= bool(outcome.waiting)
        await settle(self.db, leased, outcome)
        self._count(batch, outcome)

    async def _note(self, version: int) -> None:
        """Note a version, and that it is noted, before any mark goes.

        A run that died in between would leave documents that nobody missed if Elasticsearch were
        restored to a moment before it.
        """
        await note(self.es, self.settings, version)
        await acknowledge(self.db, version)

    async def _never_drawn(self, version: int) -> bool:
        row = await self.db.fetch_one("select last_value as drawn from search.version")
        return version > int(row["drawn"])

    def _filled(self, sent: int) -> None:
        self.numbers.sent += sent
        if self.progress is not None:
            self.progress(self.numbers)

    def _count(self, batch: Batch, outcome: Sent) -> None:
        done = set(batch.ids) - set(outcome.waiting)
        refused = done & set(outcome.refused)
        self.numbers.rejected += len(refused)
        self.numbers.deleted += len(done & batch.gone - refused)
        self.numbers.sent += len(done - batch.gone - refused)
        if self.progress is not None:
            self.progress(self.numbers)
