"""Marked documents to Elasticsearch: lease, draw a version, read, send, delete the marks.

Each step is a statement of its own that commits. Whatever dies between two of them, and however many
workers do it at once, the last change of a document is the one that stays: it has a mark no older
sync can delete, and a version, drawn after that mark and before the row was read, that no older
sync can reach.
"""

import asyncio
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
import structlog
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.search import bulk
from etl.search.bulk import Chunk, Outcome
from etl.search.client import SearchUnavailable
from etl.search.fill import fill
from etl.search.indices import INDICES, ensure_one, promote
from etl.search.reconcile import catch_up
from etl.settings import Settings

log = structlog.get_logger(__name__)

ROUNDS = 3
"""Times a run starts again after it found an index lost or the database restored."""


@dataclass
class Numbers:
    """What a sync did. A document that a later sync overtook counts as sent.

    ``restored``: the database was found to be older than the index, which is being built again.
    """

    sent: int = 0
    deleted: int = 0
    rejected: int = 0
    restored: bool = False


@dataclass(frozen=True)
class Lease:
    """Documents this worker alone sends until its lease ends.

    Refusals of ``targets[0]`` count: another one is there for an older mapping, until the first
    takes its place. ``id_array`` and ``mark_array`` are PostgreSQL's own text of ids and marks,
    handed back unread. ``until``: time of the running loop to have sent the batch by.
    """

    index: str
    ids: Sequence[str]
    id_array: str
    mark_array: str
    targets: Sequence[str]
    until: float


@dataclass(frozen=True)
class Batch:
    """What was read: the bulk request as it is sent, and which of its documents it deletes."""

    ids: Sequence[str]
    body: bytes
    version: int
    gone: AbstractSet[str]


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
    :func:`etl.search.rebuild.turn`. ``progress`` is told the numbers so far after each batch.
    Killed anywhere, what it held is free again when its lease ends.

    Raises:
        SearchUnavailable: Elasticsearch is away or takes no writes; what waits keeps its marks.
        SearchForbidden: the API key is too weak.
    """
    numbers = Numbers()
    for index in INDICES:
        run = _Run(db, es, settings, index, numbers, limit, progress)
        await run.to_the_end()
    return numbers


async def lease(db: Database, settings: Settings, index: str, n: int) -> Lease | None:
    """Step 1: take up to ``n`` pending documents; None when none is free."""
    # Half of the lease for sending: the other half outlasts a request that is still on its way.
    until = asyncio.get_running_loop().time() + settings.search_lease / 2
    rows = await db.fetch(
        "select ids, ids::text as id_array, marks::text as mark_array, targets"
        " from search.lease(%s, %s, make_interval(secs => %s))",
        (index, n, settings.search_lease),
    )
    if not rows:
        return None
    (row,) = rows
    if not row["targets"]:
        raise RuntimeError(f"search.target has no index for {index}: call ensure first")
    return Lease(index, **row, until=until)


async def draw(db: Database) -> int:
    """Step 2: a version above all drawn before, and below that of whoever reads later changes."""
    return int((await db.fetch_one("select nextval('search.version') as version"))["version"])


async def read(db: Database, leased: Lease, version: int) -> Batch:
    """Step 3: the documents as they are now; one that has left its view becomes a delete."""
    row = await db.fetch_one(
        "select * from search.read(%s, %s::text[], %s)",
        (leased.index, leased.id_array, version),
    )
    return Batch([*row["ids"], *row["gone"]], row["body"].encode(), version, set(row["gone"]))


async def send(es: AsyncElasticsearch, settings: Settings, leased: Lease, batch: Batch) -> Outcome:
    """Step 4: send to every target; see :func:`etl.search.bulk.send`."""
    whole = Outcome()
    chunk = Chunk(batch.ids, batch.body)
    for target in leased.targets:
        one = await bulk.send(es, target, chunk, size=settings.search_bytes, until=leased.until)
        if target == leased.targets[0]:
            whole.refused = one.refused
        whole.waiting |= one.waiting
        whole.lost |= one.lost
        whole.highest = max(whole.highest, one.highest)
    return whole


async def settle(db: Database, leased: Lease, outcome: Outcome) -> None:
    """Step 5: delete the leased marks of what was taken or refused, give back what waits."""
    refused = {key: why for key, why in outcome.refused.items() if key not in outcome.waiting}
    await db.execute(
        "select search.settle(%s, %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[])",
        (
            leased.index,
            leased.id_array,
            leased.mark_array,
            list(outcome.waiting),
            list(refused),
            list(refused.values()),
        ),
    )


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
    stopped: bool = False
    lost: bool = False
    foreign: int = 0
    waiting: dict[str, str] = field(default_factory=dict)

    async def to_the_end(self) -> None:
        """Drain; start again when an index was lost or the database restored meanwhile."""
        for _ in range(ROUNDS):
            await ensure_one(self.db, self.es, self.settings, self.index)
            if self.left is None:
                await fill(self.db, self.es, self.settings, self.index)
                await catch_up(self.db, self.es, self.index)
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
        log.warning(
            "the database is older than the index: it was restored; the index is built again",
            index=self.index,
            version=self.foreign,
        )
        await self.db.execute("select search.outdate(%s)", (self.foreign,))
        await self.db.execute("select search.lift(%s)", (self.foreign,))
        self.numbers.restored = True

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
                    await settle(self.db, leased, Outcome(waiting=dict.fromkeys(leased.ids, "")))
                raise

    def _share(self) -> int:
        n = self.settings.search_batch
        if self.left is not None:
            n = min(n, self.left)
            self.left -= n
        return n

    async def _batch(self, leased: Lease, gate: asyncio.Semaphore) -> None:
        batch = await read(self.db, leased, await draw(self.db))
        async with gate:
            outcome = await send(self.es, self.settings, leased, batch)
        if outcome.highest > batch.version and await self._never_drawn(outcome.highest):
            self.foreign = max(self.foreign, outcome.highest)
            outcome.waiting = dict.fromkeys(leased.ids, "the database was restored")
        self.lost |= outcome.lost
        self.waiting |= outcome.waiting
        self.stopped |= bool(outcome.waiting)
        await settle(self.db, leased, outcome)
        self._count(batch, outcome)

    async def _never_drawn(self, version: int) -> bool:
        row = await self.db.fetch_one("select last_value as drawn from search.version")
        return version > int(row["drawn"])

    def _count(self, batch: Batch, outcome: Outcome) -> None:
        done = set(batch.ids) - set(outcome.waiting)
        refused = done & set(outcome.refused)
        self.numbers.rejected += len(refused)
        self.numbers.deleted += len(done & batch.gone - refused)
        self.numbers.sent += len(done - batch.gone - refused)
        if self.progress is not None:
            self.progress(self.numbers)
