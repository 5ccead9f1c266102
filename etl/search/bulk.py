"""One bulk request after another, until each document is taken, refused or has to wait."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from elasticsearch import ApiError, AsyncElasticsearch

from etl.search.client import BUSY, SearchForbidden, SearchUnavailable, explained
from etl.search.indices import write_alias

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
TRIES = 7
REQUEST_TIMEOUT = 30.0

_ERROR = ("type", "reason", "caused_by.reason")
ANSWER = ",".join(["items.*.status", *(f"items.*.error.{name}" for name in _ERROR)])
DELETE = b'{"delete":'
_HELD_VERSION = re.compile(r"current version \[(\d+)\]")

# Refusals that say something of the index or the disk, whatever their status.
WAITING = {"cluster_block_exception", "index_closed_exception", "unavailable_shards_exception"}
LOST = "index_not_found_exception"
CONFLICT = "version_conflict_engine_exception"


class Chunk(NamedTuple):
    """Documents on their way: ``body`` is the bulk request that carries them, in this order."""

    ids: Sequence[str]
    body: bytes

    def apart(self) -> list["Chunk"]:
        """Each document as a chunk of its own: two lines, or one where it is a delete."""
        lines = [line + b"\n" for line in self.body.split(b"\n")]
        place, parts = 0, []
        for key in self.ids:
            end = place + (1 if lines[place].startswith(DELETE) else 2)
            parts.append(Chunk([key], b"".join(lines[place:end])))
            place = end
        return parts


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


async def send(
    es: AsyncElasticsearch, physical: str, batch: Chunk, *, size: int, until: float
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
    chunks, pause = [batch], FIRST_PAUSE
    if len(batch.body) > size:
        chunks = list(_packed(batch.apart(), size))
    for attempt in range(TRIES):
        outcome.waiting.clear()
        for chunk in chunks:
            await _request(es, physical, chunk, outcome, until)
        late = asyncio.get_running_loop().time() + pause >= until
        if not outcome.waiting or outcome.lost or late or attempt == TRIES - 1:
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        parts = [part for chunk in chunks for part in chunk.apart()]
        chunks = list(_packed([part for part in parts if part.ids[0] in outcome.waiting], size))
    return outcome


def _packed(parts: Sequence[Chunk], size: int) -> Iterator[Chunk]:
    """Put single documents together as far as ``size`` bytes go; a larger one goes alone."""
    ids: list[str] = []
    bodies: list[bytes] = []
    used = 0
    for part in parts:
        if ids and used + len(part.body) > size:
            yield Chunk(ids, b"".join(bodies))
            ids, bodies, used = [], [], 0
        ids.extend(part.ids)
        bodies.append(part.body)
        used += len(part.body)
    if ids:
        yield Chunk(ids, b"".join(bodies))


async def _request(
    es: AsyncElasticsearch,
    physical: str,
    chunk: Chunk,
    outcome: Outcome,
    until: float,
    *,
    ask: str = "errors",
) -> None:
    """Send one request and note each answer; one too large or unreadable is halved.

    Whether there was any error is asked first, and the answer to each document only then: writing
    and reading thousands of them costs both sides, and sending the same versions twice is safe.
    """
    left = until - asyncio.get_running_loop().time()
    if left <= 0:
        outcome.waiting.update(dict.fromkeys(chunk.ids, "out of time"))
        return
    try:
        with explained(f"writing to {physical}"):
            answer = await es.options(
                request_timeout=min(left, REQUEST_TIMEOUT), max_retries=0
            ).perform_request(
                "POST",
                f"/{write_alias(physical)}/_bulk",
                params={"require_alias": "true", "filter_path": ask},
                headers={"content-type": "application/x-ndjson", "accept": "application/json"},
                body=chunk.body,
            )
    except SearchUnavailable as error:
        outcome.waiting.update(dict.fromkeys(chunk.ids, str(error)))
        return
    except ApiError as error:
        if error.status_code not in {400, 413}:
            raise
        if len(chunk.ids) > 1:
            half = len(chunk.body) // 2 + 1
            for part in _packed(chunk.apart(), half):
                await _request(es, physical, part, outcome, until)
        else:
            outcome.refused[chunk.ids[0]] = f"{error.status_code} {error.message}"
        return
    if ask == ANSWER:
        _read(answer.body, chunk, outcome, physical)
    elif answer.body["errors"]:
        await _request(es, physical, chunk, outcome, until, ask=ANSWER)


def _read(said: dict[str, Any], chunk: Chunk, outcome: Outcome, physical: str) -> None:
    items = said.get("items", [])
    if len(items) != len(chunk.ids):
        raise RuntimeError(
            f"{physical}: {len(items)} answers to {len(chunk.ids)} documents: is it Elasticsearch?"
        )
    for key, item in zip(chunk.ids, items, strict=True):
        (about,) = item.values()
        if "error" in about:
            _note(outcome, key, about["status"], about["error"], physical)


def _note(outcome: Outcome, key: str, status: int, error: dict[str, Any], physical: str) -> None:
    kind, reason = error["type"], f"{error['type']}: {error['reason']}"
    if kind == CONFLICT:
        found = _HELD_VERSION.search(reason)
        if found is None:
            raise RuntimeError(f"{physical}: a conflict that names no version: {reason}")
        outcome.highest = max(outcome.highest, int(found[1]))
    elif kind == LOST:
        outcome.lost = True
        outcome.waiting[key] = reason
    elif status in BUSY or kind in WAITING:
        outcome.waiting[key] = reason
    elif status in {400, 413}:
        cause = error.get("caused_by", {}).get("reason")
        outcome.refused[key] = f"{reason}: {cause}" if cause else reason
    elif status in {401, 403}:
        raise SearchForbidden(
            f"writing to {physical}: {reason}: check the privileges of ETL_ELASTICSEARCH_API_KEY"
        )
    else:
        raise RuntimeError(f"{physical}: {status} for document {key}: {reason}")
