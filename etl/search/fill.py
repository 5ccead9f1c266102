"""Every row of a view into a physical index that lacks them: slices of ids, many on their way at once.

A slice is leased, and with it comes a version drawn before its rows are read; it is ended only when
the index has them. Changes meanwhile have marks, and a sync sends those to this index, too, under
higher versions. What was marked before the first slice is not sent twice: where no other index takes
it, its marks go with that slice. So whatever dies, and whoever works on it at once, the last change
stays.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import structlog
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.search import bulk
from etl.search.bulk import Chunk, Outcome
from etl.search.client import SearchUnavailable
from etl.search.epoch import acknowledge, note
from etl.search.steps import MARKS, mark
from etl.settings import Settings

log = structlog.get_logger(__name__)

READ_AHEAD = 2
"""Slices that are read while others are sent."""

WANTING = "select f.physical from search.to_fill as f where f.index = %s order by f.state desc"


@dataclass(frozen=True)
class Slice:
    """A range of ids somebody sends, and the version to send them under."""

    slice: int
    ids: list[str]
    version: int


async def fill(
    db: Database,
    es: AsyncElasticsearch,
    settings: Settings,
    index: str,
    *,
    until: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Send what the physical indices of ``index`` still want; how many documents that were.

    Many may do it at once, and whoever comes after one that died goes on where it was: what was in
    its hands is free when its lease ends. Begins no slice after ``until`` (time of the running
    loop). ``progress`` is told how many more were sent.

    Raises:
        SearchUnavailable: Elasticsearch is away or takes no writes; what was sent is remembered.
        SearchForbidden: the API key is too weak.
    """
    sent = 0
    for row in await db.fetch(WANTING, (index,)):
        run = _Fill(db, es, settings, index, row["physical"], until, progress)
        sent += await run.to_the_end()
    return sent


@dataclass
class _Fill:
    """The filling of one physical index by this process."""

    db: Database
    es: AsyncElasticsearch
    settings: Settings
    index: str
    physical: str
    until: float | None
    progress: Callable[[int], None] | None
    sent: int = 0
    stopped: bool = False

    async def to_the_end(self) -> int:
        """Take slices until none is free; raise what stopped one."""
        gate = asyncio.Semaphore(self.settings.search_connections)
        lanes = [self._lane(gate) for _ in range(self.settings.search_connections + READ_AHEAD)]
        for result in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        return self.sent

    async def _lane(self, gate: asyncio.Semaphore) -> None:
        loop = asyncio.get_running_loop()
        while not self.stopped and (self.until is None or loop.time() < self.until):
            # Half of the lease for sending: the other half outlasts a request still on its way.
            send_by = loop.time() + self.settings.search_lease / 2
            part = await self._cut()
            if part is None:
                return
            try:
                await self._send(part, gate, send_by)
            except BaseException:
                self.stopped = True
                with suppress(psycopg.Error):
                    await self.db.execute(
                        "update search.slice set leased_until = '-infinity' where slice = %s",
                        (part.slice,),
                    )
                raise

    async def _cut(self) -> Slice | None:
        rows = await self.db.fetch(
            "select * from search.cut(%s, %s, %s, make_interval(secs => %s))",
            (
                self.index,
                self.physical,
                min(self.settings.search_batch, MARKS),
                self.settings.search_lease,
            ),
        )
        return Slice(**rows[0]) if rows else None

    async def _send(self, part: Slice, gate: asyncio.Semaphore, send_by: float) -> None:
        row, _ = await asyncio.gather(
            self.db.fetch_one(
                "select * from search.read(%s, %s, %s)",
                (self.index, part.ids, part.version),
                binary=True,
            ),
            note(self.es, self.settings, part.version),
        )
        chunk = Chunk([*row["ids"], *row["gone"]], row["body"] or b"")
        async with gate:
            outcome = await bulk.send(
                self.es, self.physical, chunk, size=self.settings.search_bytes, until=send_by
            )
        if outcome.waiting:
            reason = next(iter(outcome.waiting.values()))
            raise SearchUnavailable(
                f"{self.physical} is not full yet, {self.sent} documents were sent: {reason}"
            )
        await self._to_the_sync(part, outcome)
        await acknowledge(self.db, part.version)
        await self.db.execute(
            "select search.finish_slice(%s, %s, %s, %s)",
            (self.index, self.physical, part.slice, len(row["ids"])),
        )
        taken = len(row["ids"]) - len(outcome.refused)
        self.sent += taken
        if self.progress is not None:
            self.progress(taken)

    async def _to_the_sync(self, part: Slice, outcome: Outcome) -> None:
        """Mark what a sync has a place for: documents refused, and a version this database never drew."""
        row = await self.db.fetch_one("select last_value as drawn from search.version")
        again = part.ids if outcome.highest > row["drawn"] else list(outcome.refused)
        if again:
            log.warning("left to the sync", index=self.physical, documents=len(again))
            await mark(self.db, self.index, again)
