"""The public catalogue, listed from its newest island to its oldest, a thousand a page."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import structlog

from etl.engine import watermark
from etl.engine.database import Database
from etl.engine.errors import Refused, Transient
from etl.engine.items import Numbers
from etl.engine.resource import land
from etl.fortnite.client import DataApi, Page, open_data
from etl.fortnite.resources import CATALOGUE
from etl.settings import Settings

log = structlog.get_logger(__name__)

WATERMARK = "fortnite.catalogue"
MOST_PAGES = 5_000
"""Pages of one listing past which it cannot be a catalogue any more: five million islands."""


@dataclass
class _Listing:
    """How far one listing has come, and what it has seen since this process took it up."""

    after: str | None = None
    pages: int = 0
    cursors: set[str] = field(default_factory=set)
    contents: set[bytes] = field(default_factory=set)

    def turn(self, page: Page) -> str | None:
        """Count a page and go on to its successor; gives why there is none to go on to."""
        content = blake2b(digest_size=16)
        for item in page.items:
            content.update(item.key.encode() + b"\0" if isinstance(item.key, str) else item.body)
        digest = content.digest()
        self.pages += 1
        where = f"catalogue page {self.pages}"
        if page.trouble is not None:
            return f"{where}: {page.trouble}"
        if page.after is not None and page.after in self.cursors:
            return f"{where} leads back to cursor {page.after[:100]!r}, which was followed before"
        if digest in self.contents:
            return f"{where} lists what an earlier one listed"
        if self.pages >= MOST_PAGES and page.after is not None:
            return f"the catalogue has not ended after {MOST_PAGES} pages"
        self.contents.add(digest)
        if page.after is not None:
            self.cursors.add(page.after)
        self.after = page.after
        return None

    def progress(self, *, complete: bool) -> dict[str, Any]:
        """What the watermark holds."""
        return {"after": self.after, "pages": self.pages, "complete": complete}


async def ingest(
    db: Database, settings: Settings, *, progress: Callable[[Numbers], None] | None = None
) -> Numbers:
    """List the catalogue to its end, or from where an earlier listing was cut off, and land it.

    A page is landed while the next is fetched. The cursor is saved once a page is landed, so that
    a killed listing goes on with the page in hand, and landing one twice changes nothing.

    Args:
        db: where it goes.
        settings: where it comes from.
        progress: told the sum after each page.

    Raises:
        Transient: the Data API fails, or leads in circles; what was listed before stays landed. A
            listing that leads in circles begins anew next time.
        Refused: the Data API refuses to list at all.
    """
    saved = await watermark.load(db, WATERMARK)
    listing = _Listing()
    if saved and not saved["complete"]:
        listing = _Listing(saved["after"], saved["pages"])
    async with open_data(db, settings) as data:
        first = await _first(data, listing)
        return await _list(db, data, listing, first, progress)


async def _first(data: DataApi, listing: _Listing) -> Page:
    """The page to begin with; the very first where a saved cursor is no longer taken, or fails."""
    try:
        return await data.islands(listing.after)
    except (Refused, Transient) as error:
        if listing.after is None or (isinstance(error, Transient) and error.retry_at is not None):
            raise
        reason = error.reason
    # Where it is not the cursor that fails, this fails too, and the cursor stays for the next time.
    page = await data.islands(None)
    log.warning("listing begins anew, the saved cursor leads nowhere", reason=reason)
    listing.after, listing.pages = None, 0
    return page


async def _list(
    db: Database,
    data: DataApi,
    listing: _Listing,
    page: Page,
    progress: Callable[[Numbers], None] | None,
) -> Numbers:
    numbers = Numbers()
    while True:
        trouble = listing.turn(page)
        goes_on = trouble is None and page.after is not None
        coming = asyncio.create_task(data.islands(page.after)) if goes_on else None
        try:
            numbers.add(await land(db, CATALOGUE, page.items, page.fetched_at))
            if trouble is not None:
                await watermark.save(db, WATERMARK, _Listing().progress(complete=False))
                raise Transient(f"{trouble}; it stops there and begins anew next time")
            await watermark.save(db, WATERMARK, listing.progress(complete=not goes_on))
            if progress is not None:
                progress(numbers)
            if coming is None:
                log.info("catalogue listed", pages=listing.pages, **numbers.as_dict())
                return numbers
            page = await coming
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.wait([coming])
