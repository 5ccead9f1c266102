"""Recorded islands in an index of their own, and somebody who searches it."""

import asyncio
import gzip
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr

from etl.engine.database import open_database
from etl.search.client import open_elasticsearch
from etl.search.indices import alias
from etl.search.query import Hit, Page, Query, search
from etl.search.sync import sync
from etl.settings import Settings
from tests.conftest import copy_of
from tests.data import recorded

EVERY_NTH = 6
"""One island in so many of the recorded catalogue, and all zone wars."""


@cache
def catalogue() -> list[dict[str, object]]:
    """The recorded islands that are indexed."""
    with gzip.open(recorded("data-api/island-catalogue-2026-07-06.jsonl.gz"), "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        row
        for number, row in enumerate(rows)
        if number % EVERY_NTH == 0 or "zone wars" in row["title"].lower()
    ]


@contextmanager
def recorded_index(options: Settings, postgres_url: str, template: str) -> Iterator[Settings]:
    """A database and an index with recorded islands; some have players, by a fixed rule."""
    with copy_of(template, postgres_url) as url:
        options = options.model_copy(
            update={
                "database_url": SecretStr(url),
                "search_prefix": f"query-{secrets.token_hex(4)}-",
            }
        )
        asyncio.run(_fill(options))
        yield options
        asyncio.run(_empty(options))


async def _fill(options: Settings) -> None:
    assert options.database_url is not None
    url = options.database_url.get_secret_value()
    async with open_database(url) as db, open_elasticsearch(options) as es:
        await db.execute(
            """
            insert into fortnite.island (
              code, source, first_seen_at, title, creator_code, tags, created_in, max_players, published_at
            )
            select
              r.code, 'catalogue', now(), r.title, r."creatorCode", r.tags,
              case when mod(hashtext(r.code), 3) = 0 then 'FNC' else 'UEFN' end,
              1 + mod(abs(hashtext(r.title)), 40),
              case when mod(hashtext(r.code), 5) <> 0 then r."firstSeen" + interval '23 hours' end
            from json_to_recordset(%s) as r (
              code text, title text, "creatorCode" text, tags text[], "firstSeen" timestamptz
            )
            """,
            (json.dumps(catalogue()),),
        )
        await db.execute("""
            insert into fortnite.island_now (island_id, ts, recorded_at, since, ccu, marked_ccu, record_ccu)
            select i.island_id, now(), now(), now(), c.ccu, c.ccu, 2 * c.ccu
            from fortnite.island as i
            cross join lateral (select mod(abs(hashtext(i.title)), 5000) as ccu) as c
            where mod(i.island_id, 4) = 0
        """)
        # one in four has a peak of a day alone, one in four both
        await db.execute("""
            insert into fortnite.island_metric_state
              (island_id, watched_from, read_through, peak_on, peak_ccu)
            select i.island_id, '2026-11-01', '2026-11-01', '2026-11-01', mod(i.island_id, 700)
            from fortnite.island as i
            where mod(i.island_id, 4) < 2
        """)
        await db.execute("""
            with p as (
              insert into fortnite.panel (surface, region, panel, position, first_seen_at)
              values ('Browse', 'EU', 'Popular', 1, now())
              returning panel_id
            )
            insert into fortnite.placement (panel_id, code, position, since, entered_at)
            select p.panel_id, i.code, i.island_id, now(), now()
            from fortnite.island as i, p
            where mod(i.island_id, 7) = 0
        """)
        await sync(db, es, options)
        await es.indices.refresh(index=alias("island", options))


async def _empty(options: Settings) -> None:
    async with open_elasticsearch(options) as es:
        found = await es.indices.get(index=f"{options.search_prefix}*")
        await es.indices.delete(index=",".join(found))


class Reader:
    def __init__(self, es: AsyncElasticsearch, options: Settings) -> None:
        self.es = es
        self.options = options

    async def page(self, text: str = "", query: Query | None = None) -> Page:
        return await search(self.es, self.options, query or Query(text=text))

    async def hits(self, text: str) -> list[Hit]:
        return (await self.page(text)).hits

    async def titles(self, text: str) -> list[str]:
        return [hit.title for hit in await self.hits(text)]
