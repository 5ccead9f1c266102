"""Raw pages of periodic listings, kept for an age: what was read, before anything is made of it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import psycopg

from etl.engine.arrays import ByteaArray, IntegerArray, JsonArray, TextArray
from etl.engine.database import Database
from etl.engine.landing import BLAMED, CHUNK, CHUNK_BYTES
from etl.engine.text import as_reason

KEEP = "select raw.keep_pages(%s, %s, %s, %s, %s) as kept"
REJECT = "select raw.reject(%s, null, 0, %s, %s, %s, %s)"
MOST_BYTES = 1_000_000
"""Bytes kept of a page that the server refuses."""


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """A page of a listing, bytes as received. ``key``: what was listed; ``page``: from 0."""

    key: str
    page: int
    body: bytes


async def keep(db: Database, resource: str, taken_at: datetime, pages: Sequence[Snapshot]) -> int:
    """Keep the pages of a listing that began at ``taken_at`` (UTC); gives how many are set aside.

    A page that the server refuses (NUL, half a surrogate pair, no JSON) is found by halving its batch
    and set aside as bytes. Sent again, pages overwrite themselves; dying in between leaves whole
    batches. What is older than ``snapshot_retention_days`` keeps is not written.

    Raises:
        psycopg.Error: the server refused something that is not the data's fault.
    """
    refused: list[tuple[Snapshot, str]] = []
    for batch in _batches(pages):
        refused += await _keep(db, resource, taken_at, batch)
    if refused:
        await db.execute(
            REJECT,
            (
                resource,
                taken_at,
                TextArray.of([f"{page.key} page {page.page}" for page, _ in refused]),
                TextArray.of([as_reason(reason) for _, reason in refused]),
                ByteaArray.of([page.body[:MOST_BYTES] for page, _ in refused]),
            ),
        )
    return len(refused)


def _batches(pages: Sequence[Snapshot]) -> list[list[Snapshot]]:
    batches: list[list[Snapshot]] = []
    size = 0
    for page in pages:
        size += len(page.body)
        if not batches or size > CHUNK_BYTES or len(batches[-1]) == CHUNK:
            batches.append([])
            size = len(page.body)
        batches[-1].append(page)
    return batches


async def _keep(
    db: Database, resource: str, taken_at: datetime, pages: Sequence[Snapshot]
) -> list[tuple[Snapshot, str]]:
    try:
        await db.execute(
            KEEP,
            (
                resource,
                taken_at,
                TextArray.of([page.key for page in pages]),
                IntegerArray.of([page.page for page in pages]),
                JsonArray.of([page.body for page in pages]),
            ),
        )
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith(BLAMED):
            raise
        if len(pages) == 1:
            return [(pages[0], error.diag.message_primary or str(error))]
        half = len(pages) // 2
        first = await _keep(db, resource, taken_at, pages[:half])
        return first + await _keep(db, resource, taken_at, pages[half:])
    return []
