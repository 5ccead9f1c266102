"""Creator pages: the islands that nobody asked for by code, and their play counts."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from etl.engine import crawl
from etl.engine.arrays import TextArray
from etl.engine.crawl import Lease
from etl.engine.errors import Refused, Transient
from etl.engine.items import Visited
from etl.engine.resource import DOUBTED
from etl.engine.together import in_lanes
from etl.fortnite.client import Counts
from etl.fortnite.cycle import Cycle
from etl.fortnite.listing import BATCH, Listing

log = structlog.get_logger(__name__)

SOURCE = "creator_page"
PAGES = Visited("fortnite.creator_page")
"""Classes: creators never asked, with 100 players or more, with some, with none."""
MOST_PAGES = 50
"""Pages of one creator past which they are not believed: five thousand islands."""
LANES = 4


@dataclass(slots=True)
class _Batch:
    """Creators claimed together, and what became of each."""

    lease: Lease
    players: dict[str, int] = field(default_factory=dict)
    listed: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    retry_at: datetime | None = None


async def sample_creators(cycle: Cycle, requests: int) -> None:
    """Read the pages of creators that are due, with up to so many requests, while there is time.

    Player pages are asked for at the same throttle: nobody is begun with for whom the time left
    would not do. Who is due is kept in ``engine.crawl``, shared by all workers: creators never asked
    first, then the sooner the more players they had. Islands listed under another account than
    their details name are logged. A creator is settled once its samples are stored, so one whose
    worker dies is asked again. Cancelled, it gives back what it holds. When the service refuses ten
    one after another, who is not settled yet is not blamed, and no more are asked in this cycle.
    """
    await _Pages(cycle, requests).sample()


class _Pages:
    def __init__(self, cycle: Cycle, requests: int) -> None:
        self._cycle = cycle
        self._listing = Listing(cycle, SOURCE)
        self._left = requests
        self._in_a_row = 0
        # half a minute's worth: what a worker that dies has in hand is claimed one by one later
        self._per_minute = cycle.settings.fortnite_creators_per_minute
        self._claimed_at_once = max(8, min(500, self._per_minute // 2))

    @property
    def _doubted(self) -> bool:
        """Whether so many were refused in a row that it is the service, not they."""
        return self._in_a_row >= DOUBTED

    async def sample(self) -> None:
        """Read batch after batch until the requests or the time are used up, or it is pointless."""
        await self._cycle.db.execute("select fortnite.meet_creators()")
        await self._listing.open(0)
        while (most := self._most()) > 0 and not (self._cycle.over or self._doubted):
            batch = await self._claim(most)
            if batch is None:
                break
            try:
                await in_lanes(batch.lease.claims, partial(self._read, batch), LANES)
                await self._listing.flush()
                await self._settle(batch)
            except asyncio.CancelledError:
                await crawl.let_go(self._cycle.db, PAGES, batch.lease)
                raise
        self._listing.complete &= not self._cycle.over
        await self._listing.close()

    def _most(self) -> int:
        """How many to claim now: they fit into half of the turns that the time left has, less one."""
        seconds = self._cycle.end - asyncio.get_running_loop().time()
        in_time = int(self._per_minute * max(seconds, 0.0) / 60 / 2) - 1
        return min(self._left, self._claimed_at_once, in_time)

    async def _claim(self, most: int) -> _Batch | None:
        lease = await crawl.claim(self._cycle.db, PAGES, most, self._cycle.settings)
        return None if lease is None else _Batch(lease)

    async def _read(self, batch: _Batch, account: str) -> None:
        """All pages of one creator; what was read before one fails is kept."""
        if self._cycle.over or self._doubted:
            return
        try:
            batch.players[account] = await self._pages(batch, account)
            self._cycle.numbers.creators += 1
            self._in_a_row = 0
        except Transient as error:
            batch.missed.append(account)
            batch.retry_at = max(filter(None, (batch.retry_at, error.retry_at)), default=None)
        except Refused as error:
            if self._cycle.refusal is not None:
                return
            batch.refused[account] = error
            if error.status != 404 or error.code is None:  # else the page is unknown, not the path
                self._in_a_row += 1
                if self._in_a_row == DOUBTED:
                    log.warning("creator pages paused", reason=error.reason)

    async def _pages(self, batch: _Batch, account: str) -> int:
        """Take over the counts on all pages of a creator; gives its players in all."""
        seen: dict[str, int | None] = {}
        older = None
        for _ in range(MOST_PAGES):
            self._left -= 1
            page = await self._listing.ask(self._cycle.discovery.creator(account, older))
            new = {code: ccu for code, ccu in page.ccu.items() if code not in seen}
            batch.listed += [(account, code) for code in new]
            await self._take(Counts(new, page.bad))
            seen |= new
            older = page.older
            if older is None:
                break
            if not new:
                log.warning("pages of a creator repeat", account=account, older=older)
                break
        return sum(ccu for ccu in seen.values() if ccu is not None and ccu > 0)

    async def _take(self, page: Counts) -> None:
        page.ccu = {code: ccu for code, ccu in page.ccu.items() if code not in self._cycle.taken}
        self._cycle.taken |= page.ccu.keys()
        await self._listing.add(page)

    async def _settle(self, batch: _Batch) -> None:
        """Reschedule who was read or failed; give back who was not reached."""
        db, lease = self._cycle.db, batch.lease
        failed = self._judge(batch)
        await self._reconcile(batch)
        await db.execute(
            "select fortnite.settle_creators(%s, %s::text[], %s::bigint[])",
            (lease.token, list(batch.players), list(batch.players.values())),
        )
        if failed:
            attempts = self._cycle.settings.crawl_attempts
            await crawl.fail(db, PAGES, lease, failed, attempts=attempts)
        settled = {*batch.players, *failed, *batch.missed}
        left = [account for account in lease.claims if account not in settled]
        # the next cycle is the retry: in this one a service that fails is asked once for each
        rest = max(self._cycle.end - asyncio.get_running_loop().time(), 0.0)
        for accounts, seconds in [(batch.missed, rest), (left, 0.0)]:
            if accounts:
                due_at = lease.now() + timedelta(seconds=seconds)
                due_at = max(filter(None, (due_at, batch.retry_at)))
                await crawl.release(db, PAGES, lease, due_at, keys=accounts)

    def _judge(self, batch: _Batch) -> dict[str, str]:
        """What becomes of who was refused; gives why those fail who are blamed for it."""
        if self._doubted:
            batch.missed += batch.refused
            return {}
        # a page that is not there has nobody on it
        gone = [account for account, error in batch.refused.items() if error.status == 404]
        batch.players |= dict.fromkeys(gone, 0)
        others = batch.refused.keys() - gone
        return {account: batch.refused[account].reason for account in others}

    async def _reconcile(self, batch: _Batch) -> None:
        """Compare whose islands are with what was known, five thousand at a time."""
        for start in range(0, len(batch.listed), BATCH):
            accounts, codes = zip(*batch.listed[start : start + BATCH], strict=True)
            await self._cycle.db.execute(
                "select fortnite.reconcile_islands(%s, %s, %s)",
                (self._cycle.numbers.ts, TextArray.of(accounts), TextArray.of(codes)),
            )
