"""What an index has that its view has not, or has otherwise: by digests, or by reading bodies.

Both sides are added up in 4,096 buckets, by the hash of an id: Elasticsearch from the digest it
keeps of each document, PostgreSQL from the rows. Documents are listed only where buckets differ.
"""

import math
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.search.client import explained

BUCKETS = 4096
LOST = -1
"""Where documents are counted that have no bucket: they were not written by us."""

ROWS = 20_000
"""Rows of the view one statement reads."""

PAGE = 5_000
"""Documents one request or statement lists; Elasticsearch gives no more than 10,000."""

BODIES = 1_000
GROUP = 50_000
"""Documents of differing buckets that are listed together, so that memory has a bound."""

SAMPLE = 200
"""Documents whose bodies are read before an index takes its place."""


@dataclass(frozen=True)
class Held:
    """A document as Elasticsearch has it: its version, and its digest or its body."""

    version: int
    content: Any


Suspects = Mapping[str, Held | None]
"""Documents that may have drifted, by id; None where Elasticsearch lacks one."""


@dataclass
class Drift:
    """Ids of documents that Elasticsearch lacks, has too many, or has otherwise than the view."""

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """All of them."""
        return [*self.missing, *self.extra, *self.different]


@dataclass
class Comparison:
    """One physical index held against the view ``search.<index>_document``.

    ``documents``: rows of the view, once the buckets were added up.
    """

    db: Database
    es: AsyncElasticsearch
    index: str
    physical: str
    documents: int = 0

    async def suspects(self) -> AsyncIterator[Suspects]:
        """Documents whose digest is not the one that the view gives, a bounded number at a time."""
        with explained(f"refreshing {self.physical}"):
            await self.es.indices.refresh(index=self.physical)
        for buckets in _grouped(await self._differing()):
            held = {
                key: one
                async for page in self._listed(_in(buckets), PAGE, bodies=False)
                for key, one in page.items()
            }
            wanted = await self._digests(buckets)
            yield {
                key: held.get(key)
                for key in held.keys() | wanted.keys()
                if key not in held or key not in wanted or held[key].content != wanted[key]
            }

    async def drift(self, *, thorough: bool) -> AsyncIterator[Drift]:
        """What drifted, each document once, a bounded number at a time; see :meth:`confirmed`."""
        told: set[str] = set()
        async for suspects in self.suspects():
            drift = await self.confirmed(suspects, bodies=False)
            told.update(drift.ids)
            yield drift
        if thorough:
            async for page in self.bodies():
                others = {key: held for key, held in page.items() if key not in told}
                yield await self.confirmed(others, bodies=True)

    async def bodies(self) -> AsyncIterator[Suspects]:
        """Every document that Elasticsearch has, with its body."""
        async for page in self._listed({"match_all": {}}, BODIES, bodies=True):
            yield page

    async def confirmed(self, suspects: Suspects, *, bodies: bool) -> Drift:
        """Which of them drifted: neither pending nor refused, and nobody has just sent them.

        A document that is as it was listed after the view was read had no mark, nor a sync that
        held one, in between: only then what the view says has to be what Elasticsearch has.
        """
        drift = Drift()
        for ids in _cut(sorted(suspects), BODIES if bodies else PAGE):
            rows = await self.db.fetch(
                "select * from search.state(%s, %s, %s)", (self.index, ids, bodies)
            )
            wrong = {
                str(row["id"]): row
                for row in rows
                if not row["pending"] and not _same(suspects[row["id"]], row, bodies=bodies)
            }
            now = await self._versions(list(wrong)) if wrong else {}
            for key, row in wrong.items():
                held = suspects[key]
                if now.get(key) != (held.version if held else None):
                    continue
                if held is None:
                    drift.missing.append(key)
                elif row["digest"] is None:
                    drift.extra.append(key)
                else:
                    drift.different.append(key)
        return drift

    async def sampled(self, buckets: list[int]) -> Drift:
        """What drifted in these buckets, by reading bodies."""
        suspects: dict[str, Held | None] = dict.fromkeys(await self._digests(buckets))
        async for page in self._listed(_in(buckets), BODIES, bodies=True):
            suspects |= page
        return await self.confirmed(suspects, bodies=True)

    async def _differing(self) -> dict[int, int]:
        """Buckets that do not add up to the same, with how many documents are in them."""
        with explained(f"adding up {self.physical}"):
            answer = await self.es.options(request_timeout=120).search(
                index=self.physical,
                size=0,
                track_total_hits=False,
                aggs={
                    "buckets": {
                        "terms": {"field": "bucket", "size": BUCKETS + 1, "missing": LOST},
                        "aggs": {"digests": {"sum": {"field": "digest"}}},
                    }
                },
            )
        held = {
            int(each["key"]): (int(each["doc_count"]), int(each["digests"]["value"]))
            for each in answer["aggregations"]["buckets"]["buckets"]
        }
        wanted = await self._wanted()
        self.documents = sum(count for count, _ in wanted.values())
        nothing = (0, 0)
        return {
            bucket: max(held.get(bucket, nothing)[0], wanted.get(bucket, nothing)[0])
            for bucket in held.keys() | wanted.keys()
            if held.get(bucket) != wanted.get(bucket)
        }

    async def _wanted(self) -> dict[int, tuple[int, int]]:
        """Documents of the view and their digests, added up by bucket."""
        wanted: dict[int, tuple[int, int]] = {}
        after: str | None = ""
        while after is not None:
            rows = await self.db.fetch(
                "select * from search.bucket_digests(%s, %s, %s)", (self.index, after, ROWS)
            )
            for row in rows:
                count, digests = wanted.get(row["bucket"], (0, 0))
                wanted[row["bucket"]] = (count + row["documents"], digests + row["digests"])
            after = rows[0]["upto"] if rows else None
        return wanted

    async def _digests(self, buckets: list[int]) -> dict[str, int]:
        """Digest by id of the documents of the view in these buckets."""
        found: dict[str, int] = {}
        after: str | None = ""
        while after is not None:
            rows = await self.db.fetch(
                "select id, digest from search.digests(%s, %s, %s, %s)",
                (self.index, buckets, after, PAGE),
            )
            found |= {row["id"]: row["digest"] for row in rows}
            after = rows[-1]["id"] if len(rows) == PAGE else None
        return found

    async def _listed(
        self, query: dict[str, Any], size: int, *, bodies: bool
    ) -> AsyncIterator[dict[str, Held]]:
        """Documents that Elasticsearch has, as of one instant, page by page."""
        with explained(f"listing {self.physical}"):
            opened = await self.es.open_point_in_time(index=self.physical, keep_alive="5m")
            point, after = opened["id"], None
            try:
                while True:
                    answer = await self.es.options(request_timeout=120).search(
                        pit={"id": point, "keep_alive": "5m"},
                        query=query,
                        size=size,
                        sort=[{"_shard_doc": {"order": "asc"}}],
                        search_after=after,
                        track_total_hits=False,
                        version=True,
                        source=bodies,
                        docvalue_fields=None if bodies else [{"field": "digest"}],
                    )
                    hits = answer["hits"]["hits"]
                    if hits:
                        after = hits[-1]["sort"]
                        yield {hit["_id"]: _held(hit, bodies=bodies) for hit in hits}
                    if len(hits) < size:
                        return
            finally:
                await self.es.close_point_in_time(id=point)

    async def _versions(self, ids: list[str]) -> dict[str, int]:
        """Versions of documents as they are now."""
        with explained(f"looking again at {self.physical}"):
            await self.es.indices.refresh(index=self.physical)
            answer = await self.es.search(
                index=self.physical,
                query={"ids": {"values": ids}},
                size=len(ids),
                version=True,
                source=False,
            )
        return {hit["_id"]: hit["_version"] for hit in answer["hits"]["hits"]}


async def sample(
    db: Database, es: AsyncElasticsearch, index: str, physical: str, documents: int
) -> int:
    """How many of some documents, picked at random, are not in a physical index as in the view."""
    count = min(BUCKETS, math.ceil(BUCKETS * SAMPLE / max(documents, 1)))
    buckets = secrets.SystemRandom().sample(range(BUCKETS), count)
    return len((await Comparison(db, es, index, physical).sampled(buckets)).ids)


def _in(buckets: list[int]) -> dict[str, Any]:
    chosen: list[dict[str, Any]] = [{"terms": {"bucket": buckets}}]
    if LOST in buckets:
        chosen.append({"bool": {"must_not": {"exists": {"field": "bucket"}}}})
    return {"bool": {"should": chosen}}


def _held(hit: dict[str, Any], *, bodies: bool) -> Held:
    if bodies:
        return Held(hit["_version"], hit["_source"])
    digests = hit.get("fields", {}).get("digest", [])
    # None, or several, where somebody else wrote it.
    return Held(hit["_version"], digests[0] if len(digests) == 1 else None)


def _same(held: Held | None, row: dict[str, Any], *, bodies: bool) -> bool:
    if held is None or row["digest"] is None:
        return held is None and row["digest"] is None
    if not bodies:
        return bool(held.content == row["digest"])
    return bool(held.content == row["body"])


def _grouped(buckets: Mapping[int, int]) -> Iterator[list[int]]:
    group: list[int] = []
    size = 0
    for bucket in sorted(buckets):
        if group and size + buckets[bucket] > GROUP:
            yield group
            group, size = [], 0
        group.append(bucket)
        size += buckets[bucket]
    if group:
        yield group


def _cut(ids: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
