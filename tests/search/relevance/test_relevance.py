"""The search held against judged queries over the whole recorded catalogue."""

import json
import sys
from collections import defaultdict
from statistics import fmean

import orjson
import pytest
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.search.indices import MAPPINGS, alias
from etl.search.query import Query, search
from etl.settings import Settings
from tests.search.relevance.judge import catalogue, judged, metrics

pytestmark = pytest.mark.timeout(300)

NDCG, MRR = 0.90, 0.86
"""Floors of all queries together."""
KINDS = {
    "code": 1.0,
    "empty": 1.0,
    "exact": 0.94,
    "prefix": 0.91,
    "typo": 0.85,
    "arabic": 0.96,
    "cjk": 0.96,
}
"""Floors of nDCG@10 of some kinds."""
BULK = 1000

ISLANDS = """
insert into fortnite.island (code, source, first_seen_at, title, creator_code, tags)
select r.code, 'catalogue', now(), r.title, r."creatorCode", r.tags
from json_to_recordset(%s) as r (code text, title text, "creatorCode" text, tags text[])
"""
PEAKS = """
insert into fortnite.island_metric_state (island_id, watched_from, read_through, peak_on, peak_ccu)
select i.island_id, '2026-07-03', '2026-07-23', p.day::date, p.peak
from json_to_recordset(%s) as p (code text, day text, peak integer)
inner join fortnite.island as i using (code)
"""


async def test_judged_queries_are_answered_as_people_would(
    db: Database, elasticsearch: AsyncElasticsearch, settings: Settings
) -> None:
    await _index(db, elasticsearch, settings)
    ndcg, rank = defaultdict(list), defaultdict(list)
    queries = judged()
    assert len(queries) >= 250
    for query in queries:
        page = await search(elasticsearch, settings, Query(text=query.typed, size=10, facets=()))
        found = [hit.id for hit in page.hits]
        for group in ("all", query.kind, "held out" if query.held_out else "seen"):
            ndcg[group].append(query.ndcg(found))
            rank[group].append(query.reciprocal_rank(found))
    lines = [
        f"{group:10} {len(ndcg[group]):4} {fmean(ndcg[group]):8.3f} {fmean(rank[group]):8.3f}"
        for group in sorted(ndcg)
    ]
    report = "\n".join(["group      queries nDCG@10      MRR", *lines])
    sys.stdout.write(report)
    assert fmean(ndcg["all"]) >= NDCG, report
    assert fmean(rank["all"]) >= MRR, report
    assert fmean(ndcg["held out"]) >= NDCG - 0.02, report
    for kind, floor in KINDS.items():
        assert fmean(ndcg[kind]) >= floor, f"{kind}\n{report}"


async def _index(db: Database, es: AsyncElasticsearch, settings: Settings) -> None:
    """The recorded catalogue with its recorded players, as the view makes documents of it."""
    await db.execute(ISLANDS, (json.dumps(catalogue()),))
    peaks = [{"code": code, "day": day, "peak": peak} for code, (day, peak) in metrics().items()]
    await db.execute(PEAKS, (json.dumps(peaks),))
    await db.execute("analyze fortnite.island, fortnite.island_metric_state")
    name = alias("island", settings)
    definition = orjson.loads((MAPPINGS / "island.json").read_bytes())
    await es.indices.create(index=name, **definition)
    rows = await db.fetch("select id, body from search.island_document")
    assert len(rows) == len(catalogue())
    for start in range(0, len(rows), BULK):
        part = rows[start : start + BULK]
        lines = [line for row in part for line in ({"index": {"_id": row["id"]}}, row["body"])]
        answer = await es.bulk(index=name, operations=lines)
        assert not answer["errors"]
    await es.indices.refresh(index=name)
