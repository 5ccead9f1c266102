"""Landing: what an upstream gave becomes versions, typed rows, change log and marks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import psycopg

from etl.engine.arrays import ByteaArray, JsonArray, TextArray
from etl.engine.crawl import Lease
from etl.engine.database import Database
from etl.engine.hashing import GONE, hasher
from etl.engine.items import Bad, Found, Item, Missing, Numbers, Resource
from etl.engine.split import read
from etl.engine.text import as_reason, is_plain, plain

LAND = "select * from raw.land(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
REJECT = "select raw.reject(%s, %s, %s, %s, %s, %s, %s)"
KNOWN = "select key, body_hash from engine.crawl where resource = %s and key = any(%s)"

CHUNK = 1_000  # entities a transaction; it locks and marks no more
CHUNK_BYTES = 16_000_000
KEY = 200  # bytes of a key, well below what an index row holds
NO_BODY = b"null"
TWICE = "came again in the same answer, with another body: the last one was kept"
BLAMED = ("22", "23", "54")  # classes of SQLSTATE that say: the data is bad


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A body that differs from the one we have, fit to be sent."""

    key: str
    hash: bytes
    etag: str | None
    body: bytes


@dataclass(slots=True)
class Batch:
    """Items sorted by what is to be done with them; each key once, in byte order.

    ``same`` are the keys, with the hash, of bodies that are the ones we have.
    """

    changed: list[Ready] = field(default_factory=list)
    same: dict[str, bytes] = field(default_factory=dict)
    bad: list[Bad] = field(default_factory=list)


def prepare(resource: Resource, items: Iterable[Item], known: Mapping[str, bytes | None]) -> Batch:
    """Sort items by what is to be done, given the hashes that are ``known``. Touches no server."""
    batch = Batch()
    folded = _fold(items, batch.bad)
    hash_of, check = hasher(resource), _checker(resource)
    for key in sorted(folded):
        item = folded[key]
        if isinstance(item, Missing):
            digest, etag, body = GONE, None, NO_BODY
        else:
            etag, body = item.etag, item.body
            try:
                digest = hash_of(body)
                if digest != known.get(key):  # what we have was looked at when it came
                    check(item)
            except ValueError as error:
                batch.bad.append(Bad(key, body, str(error)))
                continue
        if digest == known.get(key):
            batch.same[key] = digest
        else:
            batch.changed.append(Ready(key, digest, etag, body))
    return batch


def _fold(items: Iterable[Item], bad: list[Bad]) -> dict[str, Found | Missing]:
    """The last item of each key; ``bad`` is given what has no key, or was not the last."""
    folded: dict[str, Found | Missing] = {}
    for item in items:
        if isinstance(item, Bad):
            bad.append(item)
        elif _is_key(item.key):
            before = folded.get(item.key)
            folded[item.key] = item
            if isinstance(before, Found) and before != item:
                bad.append(Bad(before.key, before.body, TWICE))
        else:
            body = item.body if isinstance(item, Found) else b""
            reason = f"its key is no text of 1 to {KEY} bytes: {item.key!r}"
            bad.append(Bad(None, body, reason))
    return folded


def _is_key(key: str) -> bool:
    if key.isascii():  # nearly all are, and this is quick
        return 0 < len(key) <= KEY and "\0" not in key
    return is_plain(key) and len(key.encode()) <= KEY


def _checker(resource: Resource) -> Callable[[Found], None]:
    """What raises ValueError for a body that is not fit to be sent."""
    limit, shape = resource.body_limit, resource.shape
    decode = msgspec.json.Decoder(shape or msgspec.Raw).decode

    def check(item: Found) -> None:
        body = item.body
        if len(body) > limit:
            raise ValueError(f"{len(body)} bytes, more than the {limit} allowed")
        if body == NO_BODY:
            raise ValueError("a null in the place of a body")
        if item.etag is not None and not is_plain(item.etag):
            raise ValueError(f"its validator is no text: {item.etag!r}")
        if shape is not None:
            try:
                decode(body)
            except (ValueError, RecursionError):
                read(body, shape)  # says it for a person

    return check


@dataclass(frozen=True, slots=True)
class Target:
    """Where a batch goes: the resource, and the lease that covers it or None for a listing."""

    resource: Resource
    lease: Lease | None
    fetched_at: datetime
    attempts: int


async def store(db: Database, target: Target, batch: Batch) -> Numbers:
    """Send a prepared batch and count what came of it.

    A transaction for up to 1,000 bodies: dying in between leaves whole ones behind, and sending the
    batch again changes nothing. A body that the server refuses is found by halving its batch and
    set aside like what was bad from the start.

    Raises:
        psycopg.Error: what the server said of something that is not the data's fault.
    """
    numbers = Numbers()
    same = batch.same
    bad = list(batch.bad)
    for changed in _chunks(batch.changed) or [[]]:
        refused = await _land(db, target, changed, same, numbers)
        bad += refused
        same = {}
    await _reject(db, target, bad)
    numbers.rejected = len(bad)
    return numbers


def _chunks(changed: Sequence[Ready]) -> list[list[Ready]]:
    chunks: list[list[Ready]] = []
    size = 0
    for ready in changed:
        size += len(ready.body)
        if not chunks or size > CHUNK_BYTES or len(chunks[-1]) == CHUNK:
            chunks.append([])
            size = len(ready.body)
        chunks[-1].append(ready)
    return chunks


async def _land(
    db: Database,
    target: Target,
    changed: Sequence[Ready],
    same: Mapping[str, bytes],
    numbers: Numbers,
) -> list[Bad]:
    try:
        row = await db.fetch_one(LAND, parameters(target, changed, same))
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith(BLAMED) or not changed:
            raise
        if len(changed) == 1:
            if same:
                await _land(db, target, [], same, numbers)
            return [Bad(changed[0].key, changed[0].body, _reason(error))]
        half = len(changed) // 2
        first = await _land(db, target, changed[:half], same, numbers)
        return first + await _land(db, target, changed[half:], {}, numbers)
    numbers.landed += row["landed"]
    numbers.changed += row["changed"]
    numbers.unchanged += row["landed"] - row["changed"]
    numbers.missing += row["missing"]
    numbers.failed += row["stale"]
    return []


def parameters(target: Target, changed: Sequence[Ready], same: Mapping[str, bytes]) -> list[object]:
    """What :data:`LAND` is given for a batch."""
    return [
        target.resource.name,
        target.resource.apply,
        target.lease.token if target.lease else None,
        target.fetched_at,
        list(target.resource.every),
        TextArray.of([ready.key for ready in changed]),
        ByteaArray.of([ready.hash for ready in changed]),
        TextArray.of([ready.etag for ready in changed]),
        JsonArray.of([ready.body for ready in changed]),
        TextArray.of(same),
        ByteaArray.of(same.values()),
    ]


def _reason(error: psycopg.Error) -> str:
    said = (error.diag.message_primary, error.diag.message_detail)
    return ": ".join(part for part in said if part) or str(error)


async def _reject(db: Database, target: Target, bad: Sequence[Bad]) -> None:
    limit = target.resource.body_limit
    for start in range(0, len(bad), CHUNK):
        part = bad[start : start + CHUNK]
        await db.execute(
            REJECT,
            [
                target.resource.name,
                target.lease.token if target.lease else None,
                target.attempts,
                target.fetched_at,
                TextArray.of([None if item.key is None else plain(item.key) for item in part]),
                TextArray.of([as_reason(item.reason) for item in part]),
                ByteaArray.of([item.body[:limit] for item in part]),
            ],
        )


async def land(
    db: Database, resource: Resource, items: Sequence[Item], fetched_at: datetime
) -> Numbers:
    """Land a page of a listing: no lease, nothing is scheduled.

    ``fetched_at`` (UTC) is when the page was fetched; what a later fetch landed is left alone and
    counted as failed. Hashes are asked first, bodies that are stored already are not sent. Keys are
    locked in byte order, so several workers may land the same ones at once. Dying in the middle
    leaves whole transactions; landing the page again changes nothing.

    Raises:
        psycopg.Error: the server refused something that is not the data's fault.
    """
    numbers = Numbers()
    target = Target(resource, None, fetched_at, 0)
    for start in range(0, len(items), CHUNK):
        part = items[start : start + CHUNK]
        numbers.add(await _land_listed(db, target, part))
    return numbers


async def _land_listed(db: Database, target: Target, items: Sequence[Item]) -> Numbers:
    """Somebody else may land the same between the question and the sending: then both are redone."""
    for _ in range(3):
        keys = [item.key for item in items if item.key is not None and is_plain(item.key)]
        rows = await db.fetch(KNOWN, [target.resource.name, TextArray.of(keys)])
        known = {row["key"]: row["body_hash"] for row in rows}
        batch = prepare(target.resource, items, known)
        numbers = await store(db, target, batch)
        if not numbers.failed:
            break
    return numbers
