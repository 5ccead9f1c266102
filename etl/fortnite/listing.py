"""One listing of a CCU cycle: its requests, and their counts on the way to the database."""

import asyncio
from collections.abc import Coroutine
from itertools import islice
from typing import Any, TypeVar

import structlog

from etl.engine.errors import Refused, Transient, Unauthorized
from etl.engine.text import as_reason
from etl.fortnite.client import Counts
from etl.fortnite.cycle import Cycle
from etl.fortnite.store import store

log = structlog.get_logger(__name__)

T = TypeVar("T")

BATCH = 5000
"""Islands stored at once at most: a transaction marks no more documents."""
MOST_BYTES = 65_536
"""Bytes kept of an entry that cannot be read."""


class Listing:
    """A listing of a cycle, used by several tasks at once.

    Counts are stored five thousand at a time as they come, the rest at :meth:`flush`. ``complete``
    turns false with the first request that fails or is not sent; the rest goes on.
    """

    def __init__(self, cycle: Cycle, source: str) -> None:
        self.cycle = cycle
        self.complete = True
        self._source = source
        self._held: dict[str, int | None] = {}

    async def open(self, expected: int) -> None:
        """Begin the listing, or begin it again: what it stored is overwritten."""
        await self.cycle.db.execute(
            "select fortnite.open_cycle(%s, %s, %s)",
            (self.cycle.numbers.ts, self._source, expected),
        )

    async def ask(self, request: Coroutine[Any, Any, T]) -> T:
        """Await a request, but not past the end of the cycle.

        Raises:
            Transient, Refused: it failed, or the cycle is over.
        """
        try:
            async with asyncio.timeout_at(self.cycle.end):
                return await request
        except TimeoutError:
            self.complete = False
            raise Transient("the cycle is over") from None
        except (Transient, Refused) as error:
            self.complete = False
            self.cycle.numbers.failed += 1
            if isinstance(error, Unauthorized):
                self.cycle.refusal = error
            log.warning("CCU request failed", listing=self._source, reason=error.reason)
            raise

    async def add(self, counts: Counts) -> None:
        """Take counts over: a good one is held or stored, a bad one set aside."""
        self._held.update(counts.ccu)
        while len(self._held) >= BATCH:
            await self._store()
        if counts.bad:
            await self._reject(counts)

    async def flush(self) -> None:
        """Store what is held."""
        while self._held:
            await self._store()

    async def close(self) -> None:
        """End the listing: everything is stored, and whether it is complete is told."""
        await self.flush()
        await self.cycle.db.execute(
            "select fortnite.close_cycle(%s, %s, %s)",
            (self.cycle.numbers.ts, self._source, self.complete),
        )
        self.cycle.numbers.complete &= self.complete

    async def _store(self) -> None:
        numbers = self.cycle.numbers
        batch = {code: self._held.pop(code) for code in list(islice(self._held, BATCH))}
        stored = await store(self.cycle.db, numbers.ts, self._source, batch)
        numbers.stored += stored.stored
        numbers.skipped += stored.skipped
        numbers.discovered += stored.discovered
        countless = [code for code, ccu in batch.items() if ccu is None or ccu < 0]
        if countless:
            row = await self.cycle.db.fetch_one(
                "select fortnite.meet_islands(%s::text[], %s, %s) as met",
                (countless, self._source, numbers.ts),
            )
            numbers.discovered += row["met"]

    async def _reject(self, counts: Counts) -> None:
        await self.cycle.db.execute(
            "select raw.reject(%s, null, 0, %s, %s::text[], %s::text[], %s::bytea[])",
            (
                "fortnite.ccu",
                self.cycle.numbers.ts,
                [bad.key for bad in counts.bad],
                [as_reason(bad.reason) for bad in counts.bad],
                [bad.body[:MOST_BYTES] for bad in counts.bad],
            ),
        )
        self.cycle.numbers.rejected += len(counts.bad)
