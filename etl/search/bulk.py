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
LEAST = 16 * 1024
"""Bytes a request may always carry."""
REQUEST_TIMEOUT = 30.0

_ERROR = ("type", "reason", "caused_by.reason")
ANSWER = ",".join(["errors", "items.*.status", *(f"items.*.error.{name}" for name in _ERROR)])
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
        held: version by id that Elasticsearch held against ours: no lower than it.
        lost: the physical index does not exist.
    """

    refused: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    lost: bool = False

    @property
    def highest(self) -> int:
        """The highest version held against ours; 0 without a conflict."""
        return max(self.held.values(), default=0)


@dataclass
class Pace:
    """How many bytes a request may carry now: at most ``most``; requests side by side share it.

    Halved by each that is too large or too much for Elasticsearch, raised by a sixteenth of
    ``most`` by each that is taken.
    """

    most: int
    size: int = 0

    def __post_init__(self) -> None:
        self.size = self.most

    def slower(self) -> None:
        """Elasticsearch could not take a request, or not all of it."""
        self.size = max(self.size // 2, min(LEAST, self.most))

    def faster(self) -> None:
        """It took one."""
        self.size = min(self.size + self.most // 16, self.most)


async def send(
    es: AsyncElasticsearch, physical: str, batch: Chunk, *, size: int | Pace, until: float
) -> Outcome:
    """Send a batch to a physical index in requests of at most ``size`` bytes, or fewer as a pace has it.

    What Elasticsearch cannot take now is sent again, in smaller requests, with pauses that grow. After
    some tries that brought nothing, and never past ``until`` (time of the running loop), it is
    ``waiting``. Sending the same documents again does no harm: they carry their versions.

    Raises:
        SearchForbidden: the API key may not write.
        RuntimeError: Elasticsearch answered something that is no answer to a bulk request.
    """
    if not batch.ids:
        return Outcome()
    sending = _Sending(es, physical, size if isinstance(size, Pace) else Pace(size), until)
    waiting = sending.outcome.waiting
    left = [batch] if len(batch.body) <= sending.pace.size else batch.apart()
    tries, pause = 0, FIRST_PAUSE
    while True:
        waiting.clear()
        if await sending.round(left):
            tries, pause = 0, FIRST_PAUSE
        tries += 1
        late = asyncio.get_running_loop().time() + pause >= until
        if not waiting or sending.outcome.lost or late or tries == TRIES:
            return sending.outcome
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        left = [part for chunk in left for part in chunk.apart() if part.ids[0] in waiting]


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


@dataclass
class _Sending:
    """Requests to one physical index, and what became of their documents."""

    es: AsyncElasticsearch
    physical: str
    pace: Pace
    until: float
    outcome: Outcome = field(default_factory=Outcome)

    async def round(self, parts: Sequence[Chunk]) -> bool:
        """Send all, until one has to wait: then the rest waits with it. Whether any was answered."""
        place = 0
        while place < len(parts):
            chunk = next(_packed(parts[place:], self.pace.size))
            end = place + (1 if place + 1 == len(parts) else len(chunk.ids))
            await self.request(chunk)
            if self.outcome.waiting:
                why = next(iter(self.outcome.waiting.values()))
                rest = [key for part in parts[end:] for key in part.ids]
                self.outcome.waiting.update(dict.fromkeys(rest, why))
                break
            place = end
        return len(self.outcome.waiting) < sum(len(part.ids) for part in parts)

    async def request(self, chunk: Chunk, *, ask: str = "errors") -> None:
        """Send one request and note each answer; one too large or unreadable is halved.

        Whether there was any error is asked first, and the answer to each document only then:
        writing and reading thousands of them costs both sides, and sending the same versions twice
        is safe.
        """
        left = self.until - asyncio.get_running_loop().time()
        if left <= 0:
            self.outcome.waiting.update(dict.fromkeys(chunk.ids, "out of time"))
            return
        try:
            answer = await self._post(chunk, ask, min(left, REQUEST_TIMEOUT))
        except SearchUnavailable as error:
            self.outcome.waiting.update(dict.fromkeys(chunk.ids, str(error)))
            self.pace.slower()
            return
        except ApiError as error:
            if error.status_code not in {400, 413}:
                raise
            await self._halves(chunk, error)
            return
        if not answer["errors"]:
            self.pace.faster()
        elif ask == ANSWER:
            waited = len(self.outcome.waiting)
            _read(answer, chunk, self.outcome, self.physical)
            if len(self.outcome.waiting) > waited:
                self.pace.slower()
        else:
            await self.request(chunk, ask=ANSWER)

    async def _post(self, chunk: Chunk, ask: str, seconds: float) -> dict[str, Any]:
        with explained(f"writing to {self.physical}"):
            answer = await self.es.options(request_timeout=seconds, max_retries=0).perform_request(
                "POST",
                f"/{write_alias(self.physical)}/_bulk",
                params={"require_alias": "true", "filter_path": ask},
                headers={"content-type": "application/x-ndjson", "accept": "application/json"},
                body=chunk.body,
            )
        body: dict[str, Any] = answer.body
        return body

    async def _halves(self, chunk: Chunk, error: ApiError) -> None:
        """Send what was too large, or unreadable, in two parts; a document alone is refused."""
        if len(chunk.ids) == 1:
            self.outcome.refused[chunk.ids[0]] = f"{error.status_code} {error.message}"
            return
        if error.status_code == 413:
            self.pace.slower()
        for part in _packed(chunk.apart(), len(chunk.body) // 2 + 1):
            await self.request(part)


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
        outcome.held[key] = int(found[1])
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
