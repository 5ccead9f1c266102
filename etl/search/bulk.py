"""One bulk request after another, until each document is taken, refused or has to wait."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from elasticsearch import ApiError, AsyncElasticsearch

from etl.search.client import BUSY, SearchForbidden, SearchUnavailable, explained
from etl.search.indices import write_alias

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
TRIES = 7
REQUEST_TIMEOUT = 30.0

_ERROR = ("type", "reason", "caused_by.reason")
ANSWER = ",".join(["items.*.status", *(f"items.*.error.{name}" for name in _ERROR)])
_INDEX = b'{"index":{"_id":%b,"version":%d,"version_type":"external"}}\n%b\n'
_DELETE = b'{"delete":{"_id":%b,"version":%d,"version_type":"external"}}\n'
_HELD_VERSION = re.compile(r"current version \[(\d+)\]")

# Refusals that say something of the index or the disk, whatever their status.
WAITING = {"cluster_block_exception", "index_closed_exception", "unavailable_shards_exception"}
LOST = "index_not_found_exception"
CONFLICT = "version_conflict_engine_exception"


class Document(NamedTuple):
    """A document on its way: ``lines`` is its part of a bulk request, final newline included."""

    id: str
    lines: bytes
    gone: bool


@dataclass
class Outcome:
    """What became of a batch at one physical index; a document in none of these was taken.

    Attributes:
        refused: reason by id, for what the document is.
        waiting: reason by id; nothing is wrong with the document.
        lost: the physical index does not exist.
        highest: highest version that Elasticsearch held against ours; 0 without a conflict.
    """

    refused: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    highest: int = 0


def document(key: str, version: int, body: str | None) -> Document:
    """The bulk lines of a document with an external version; ``body`` None deletes it."""
    if body is None:
        return Document(key, _DELETE % (orjson.dumps(key), version), gone=True)
    # Outside of strings, where JSON allows no raw newline, one is white space like any other.
    one_line = body.encode().replace(b"\n", b" ")
    return Document(key, _INDEX % (orjson.dumps(key), version, one_line), gone=False)


async def send(
    es: AsyncElasticsearch,
    physical: str,
    documents: Sequence[Document],
    *,
    size: int,
    until: float,
) -> Outcome:
    """Send a batch to a physical index in requests of at most ``size`` bytes.

    What Elasticsearch cannot take now is sent again, with pauses that grow, for some tries and
    never past ``until`` (time of the running loop); after that it is ``waiting``. Sending the
    same documents again does no harm: they carry their versions.

    Raises:
        SearchForbidden: the API key may not write.
        RuntimeError: Elasticsearch answered something that is no answer to a bulk request.
    """
    outcome = Outcome()
    pending, pause = list(documents), FIRST_PAUSE
    loop = asyncio.get_running_loop()
    for attempt in range(TRIES):
        outcome.waiting.clear()
        for chunk in _chunks(pending, size):
            await _request(es, physical, chunk, outcome, until)
        pending = [one for one in pending if one.id in outcome.waiting]
        if not pending or outcome.lost or attempt == TRIES - 1 or loop.time() + pause >= until:
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return outcome


def _chunks(documents: Sequence[Document], size: int) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    used = 0
    for one in documents:
        if chunk and used + len(one.lines) > size:
            yield chunk
            chunk, used = [], 0
        chunk.append(one)
        used += len(one.lines)
    if chunk:
        yield chunk


async def _request(
    es: AsyncElasticsearch, physical: str, chunk: list[Document], outcome: Outcome, until: float
) -> None:
    """Send one request and note each answer; one too large or unreadable is halved."""
    left = until - asyncio.get_running_loop().time()
    if left <= 0:
        outcome.waiting.update(dict.fromkeys((one.id for one in chunk), "out of time"))
        return
    try:
        with explained(f"writing to {physical}"):
            answer = await es.options(
                request_timeout=min(left, REQUEST_TIMEOUT), max_retries=0
            ).perform_request(
                "POST",
                f"/{write_alias(physical)}/_bulk",
                params={"require_alias": "true", "filter_path": ANSWER},
                headers={"content-type": "application/x-ndjson", "accept": "application/json"},
                body=b"".join([one.lines for one in chunk]),
            )
    except SearchUnavailable as error:
        outcome.waiting.update(dict.fromkeys((one.id for one in chunk), str(error)))
        return
    except ApiError as error:
        if error.status_code not in {400, 413}:
            raise
        if len(chunk) > 1:
            middle = len(chunk) // 2
            await _request(es, physical, chunk[:middle], outcome, until)
            await _request(es, physical, chunk[middle:], outcome, until)
        else:
            outcome.refused[chunk[0].id] = f"{error.status_code} {error.message}"
        return
    items = answer.body.get("items", [])
    if len(items) != len(chunk):
        raise RuntimeError(
            f"{physical}: {len(items)} answers to {len(chunk)} documents: is it Elasticsearch?"
        )
    for one, item in zip(chunk, items, strict=True):
        (said,) = item.values()
        if "error" in said:
            _note(outcome, one, said["status"], said["error"], physical)


def _note(
    outcome: Outcome, one: Document, status: int, error: dict[str, Any], physical: str
) -> None:
    kind, reason = error["type"], f"{error['type']}: {error['reason']}"
    if kind == CONFLICT:
        found = _HELD_VERSION.search(reason)
        if found is None:
            raise RuntimeError(f"{physical}: a conflict that names no version: {reason}")
        outcome.highest = max(outcome.highest, int(found[1]))
    elif kind == LOST:
        outcome.lost = True
        outcome.waiting[one.id] = reason
    elif status in BUSY or kind in WAITING:
        outcome.waiting[one.id] = reason
    elif status in {400, 413}:
        cause = error.get("caused_by", {}).get("reason")
        outcome.refused[one.id] = f"{reason}: {cause}" if cause else reason
    elif status in {401, 403}:
        raise SearchForbidden(
            f"writing to {physical}: {reason}: check the privileges of ETL_ELASTICSEARCH_API_KEY"
        )
    else:
        raise RuntimeError(f"{physical}: {status} for document {one.id}: {reason}")
