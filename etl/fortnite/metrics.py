"""Metrics of every listed island, from the public Data API: read in turns, so that no closed day is lost."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import msgspec
import structlog

from etl.engine import crawl
from etl.engine.crawl import Lease
from etl.engine.database import Database
from etl.engine.errors import Refused, Transient
from etl.engine.items import Bad, Visited
from etl.engine.text import as_reason
from etl.engine.together import in_lanes
from etl.fortnite.metrics_api import Bucket, MetricsApi, kept_from, open_metrics, parse
from etl.settings import MetricInterval, Settings

log = structlog.get_logger(__name__)

METRICS = Visited("fortnite.metrics", (0.25, 0.3, 0.3, 0.15))
"""Classes: islands never read, popular ones, those played in a week, the others."""
LANES = 4
"""Requests on their way at once: ten draw 429."""
MOST_AT_ONCE = 500
IN_A_ROW = 8
"""Failures one after the other from which the service, not an island, is to blame."""
BLAMED = frozenset({400, 413, 422})
"""Refusals that may be due to the island asked for."""
UNKNOWN = frozenset({404, 410})
A_DAY = timedelta(days=1)
MOST_BYTES = 65_536
"""Bytes kept of an answer that cannot be read."""

TAKE = "select * from fortnite.take_metrics(%s, %s::jsonb, %s::int[], %s, %s)"
UNTIL = "select fortnite.metrics_until(%s, %s) as ts"
REJECT = "select raw.reject(%s, null, 0, %s, %s::text[], %s::text[], %s::bytea[]) as kept"
WAIT = """
select extract(epoch from now() - min(d.due_at))::integer as seconds
from generate_series(0, 3) as k (class)
cross join lateral (
  select c.due_at
  from engine.crawl as c
  where c.resource = %s and c.class = k.class and c.state <> 'dead' and c.due_at <= now()
  order by c.due_at
  limit 1
) as d
"""


class _Read(msgspec.Struct, omit_defaults=True):
    """What became of one island, as ``fortnite.take_metrics`` is told it."""

    code: str
    read_at: datetime
    buckets: list[Bucket] = []
    gone: bool = False
    trouble: str | None = None


@dataclass(slots=True)
class MetricNumbers:
    """What a run did.

    Islands ``met``, ``read``, not known upstream (``gone``), ``failed`` and to be asked again;
    answers set aside (``rejected``); buckets ``inserted`` and ``revised``; days found ``lost``; and
    how long the island that is due longest has waited, in seconds (``waits_s``).
    """

    met: int = 0
    read: int = 0
    gone: int = 0
    failed: int = 0
    rejected: int = 0
    inserted: int = 0
    revised: int = 0
    lost: int = 0
    waits_s: int = 0


@dataclass(slots=True)
class _Batch:
    """Islands claimed together, and what became of each."""

    lease: Lease
    reads: dict[str, _Read] = field(default_factory=dict)
    aside: list[Bad] = field(default_factory=list)
    retry_at: datetime | None = None
    stopped: bool = False


async def read_due(db: Database, settings: Settings, *, limit: int) -> MetricNumbers:
    """Read the metrics of up to ``limit`` islands that are due, and store them.

    Every read asks for all days that upstream keeps. Who is due, and the pace of each class, is
    kept in ``engine.crawl``; islands that the catalogue lists are put there first. A batch is
    stored in one transaction. Dying leaves whole batches, and leases that run out; cancelled, it
    gives back what it holds. A failure that is the service's own ends the run, blaming nobody.

    Raises:
        Refused: the Data API refuses us, whatever the island; what was read before is stored.
    """
    async with open_metrics(db, settings) as api:
        run = _Run(db, settings, api)
        await run.run(limit)
    log.info("metrics read", **msgspec.to_builtins(run.numbers))
    if run.refusal is not None:
        raise run.refusal
    return run.numbers


class _Run:
    def __init__(self, db: Database, settings: Settings, api: MetricsApi) -> None:
        self.numbers = MetricNumbers()
        self.refusal: Refused | None = None
        self._db = db
        self._settings = settings
        self._api = api
        self._failures = 0
        # ten seconds' worth: what a worker that dies has in hand is claimed one by one later
        self._at_once = max(8, min(MOST_AT_ONCE, int(settings.fortnite_data_per_second * 10)))

    async def run(self, limit: int) -> None:
        row = await self._db.fetch_one("select fortnite.meet_metrics() as met")
        self.numbers.met = row["met"]
        left, stopped = limit, False
        while left > 0 and not stopped:
            try:
                await self._api.turn()
            except Transient as error:
                log.warning("metrics paused", reason=error.reason)
                break
            count = min(left, self._at_once)
            lease = await crawl.claim(self._db, METRICS, count, self._settings)
            if lease is None:
                break
            left -= len(lease.claims)
            stopped = await self._batch(lease)
        wait = await self._db.fetch_one(WAIT, (METRICS.name,))
        self.numbers.waits_s = wait["seconds"] or 0

    async def _batch(self, lease: Lease) -> bool:
        """Read and store what a lease holds; whether the run ends with it."""
        batch = _Batch(lease)
        try:
            await in_lanes(lease.claims, partial(self._read, batch), LANES)
            await self._store(batch)
        except asyncio.CancelledError:
            await crawl.let_go(self._db, METRICS, lease)
            raise
        except Exception as error:
            await crawl.let_go(self._db, METRICS, lease, error)
            raise
        return batch.stopped

    async def _read(self, batch: _Batch, code: str) -> None:
        if batch.stopped:
            return
        try:
            read = await self._ask(batch, code)
        except Transient as error:
            if error.retry_at is not None:
                self._stop(batch, error)
                return
            read = self._failed(batch, code, error)
        except Refused as error:
            if error.status not in UNKNOWN | BLAMED:
                self.refusal = error
                self._stop(batch, Transient(error.reason))
                return
            read = self._refused(batch, code, error)
        else:
            self._failures = 0
        batch.reads[code] = read

    def _refused(self, batch: _Batch, code: str, error: Refused) -> _Read:
        if error.status not in UNKNOWN:
            return _Read(code, batch.lease.now(), trouble=as_reason(error.reason))
        if error.code is None:  # not an island is unknown, but the path: it says nothing of islands
            return self._failed(batch, code, Transient(error.reason))
        return _Read(code, batch.lease.now(), gone=True)

    def _failed(self, batch: _Batch, code: str, error: Transient) -> _Read:
        """An island that got no answer; so many in a row, and the service is to blame."""
        self._failures += 1
        if self._failures >= IN_A_ROW:
            self._stop(batch, error)
        return _Read(code, batch.lease.now(), trouble=as_reason(error.reason))

    def _stop(self, batch: _Batch, error: Transient) -> None:
        """Ask for nothing more; what was not read is given back, unblamed."""
        if not batch.stopped:
            log.warning("metrics paused", reason=error.reason)
        batch.stopped = True
        batch.retry_at = max(filter(None, (batch.retry_at, error.retry_at)), default=None)

    async def _ask(self, batch: _Batch, code: str) -> _Read:
        """All days of an island, and its hours and ten minutes where it has players enough."""
        lease = batch.lease
        read = _Read(code, lease.now(), [])
        await self._interval(batch, read, "day", kept_from("day", lease.now()))
        finer = [name for name in self._settings.fortnite_metrics_intervals if name != "day"]
        if read.trouble is None and _lately(read) >= self._settings.fortnite_metrics_fine:
            for name in finer:
                await self._finer(batch, read, name)
        return read

    async def _finer(self, batch: _Batch, read: _Read, name: MetricInterval) -> None:
        """Buckets since the last closed one that is stored. A failure costs nothing but them."""
        minutes = {"hour": 60, "minute": 10}[name]
        row = await self._db.fetch_one(UNTIL, (minutes, read.code))
        oldest = kept_from(name, batch.lease.now())
        try:
            await self._interval(batch, read, name, max(filter(None, (row["ts"], oldest))))
        except Transient as error:
            log.info("finer metrics missed", island=read.code, reason=error.reason)
            if error.retry_at is not None:
                self._stop(batch, error)
        except Refused as error:
            log.info("finer metrics refused", island=read.code, reason=error.reason)

    async def _interval(
        self, batch: _Batch, read: _Read, name: MetricInterval, since: datetime
    ) -> None:
        # as of before it was asked: what is closed by then is closed in the answer
        body = await self._api.read(read.code, name, since)
        answered = parse(body, name, read.read_at)
        read.buckets += answered.buckets
        if answered.trouble is None:
            return
        if name == "day":
            read.trouble = as_reason(answered.trouble)
        if answered.body is not None:
            batch.aside.append(Bad(read.code, answered.body, f"{name}: {answered.trouble}"))

    async def _store(self, batch: _Batch) -> None:
        """Store what was read, reschedule who was, and give back who was not reached."""
        lease, numbers, settings = batch.lease, self.numbers, self._settings
        if batch.aside:
            await self._reject(batch)
        hours = [
            settings.fortnite_metrics_popular_hours,
            settings.fortnite_metrics_active_hours,
            settings.fortnite_metrics_quiet_hours,
        ]
        reads = msgspec.json.encode(list(batch.reads.values())).decode()
        params = (
            lease.token,
            reads,
            hours,
            settings.fortnite_metrics_popular,
            settings.crawl_attempts,
        )
        row = await self._db.fetch_one(TAKE, params)
        numbers.inserted += row["inserted"]
        numbers.revised += row["revised"]
        numbers.lost += row["lost"]
        for read in batch.reads.values():
            numbers.gone += read.gone
            numbers.failed += read.trouble is not None
            numbers.read += not read.gone and read.trouble is None
        left = lease.claims.keys() - batch.reads.keys()
        if left:
            await crawl.release(self._db, METRICS, lease, batch.retry_at, keys=left)

    async def _reject(self, batch: _Batch) -> None:
        row = await self._db.fetch_one(
            REJECT,
            (
                METRICS.name,
                batch.lease.now(),
                [bad.key for bad in batch.aside],
                [as_reason(bad.reason) for bad in batch.aside],
                [bad.body[:MOST_BYTES] for bad in batch.aside],
            ),
        )
        self.numbers.rejected += row["kept"]


def _lately(read: _Read) -> int:
    """The most players at once since yesterday; 0 where that is not told."""
    since = read.read_at - A_DAY
    return max(
        (int(b.peak_ccu or 0) for b in read.buckets if b.ts.date() >= since.date()), default=0
    )
