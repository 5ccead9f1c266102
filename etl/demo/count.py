"""What a pass of the demo came to, counted from the servers."""

from datetime import datetime
from typing import Any

from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.settings import Settings

ISLANDS = """
select
    count(*) filter (where c.last_fetched_at >= %(started)s) as landed,
    count(*) filter (where c.last_changed_at >= %(started)s) as changed,
    count(*) filter (
        where c.last_fetched_at >= %(started)s and c.last_changed_at < %(started)s
    ) as unchanged
from engine.crawl as c
where c.resource = 'fortnite.island' and c.state = 'active'
"""
CREATORS = """
select
    count(*) as known,
    count(c.bulk_at) as named,
    count(c.page_at) as paged,
    count(*) filter (where c.gone_at is not null) as gone
from fortnite.creator as c
"""
REJECTED = """
select count(*) as rejected
from raw.rejected
where fetched_at >= %(started)s and resource like 'fortnite.%%'
"""
CCU = """
select
    (select count(*) from fortnite.ccu as s where s.ts = any(%(cycles)s)) as stored,
    coalesce((
        select sum(c.negative) from fortnite.ccu_cycle as c where c.ts = any(%(cycles)s)
    ), 0)::bigint as skipped
"""
ROLLUP = """
select
    (
        select count(*)
        from fortnite.ccu_hourly as h
        where h.ts >= date_trunc('hour', %(first)s::timestamptz, 'UTC')
    ) as hourly,
    (
        select count(*)
        from fortnite.ccu_daily as d
        where d.ts >= date_trunc('day', %(first)s::timestamptz, 'UTC')
    ) as daily
"""
METRICS = """
select count(distinct m.island_id) as islands, count(*) as days
from fortnite.island_metric as m
where m.bucket_minutes = 1440
"""

RANKING = """
select count(*) as rows, count(distinct r.day) as days
from fortnite.ranking as r
"""


DISCOVERY = """
select
    (select count(*) from fortnite.panel as p where p.dropped_at is null) as panels,
    (select count(*) from fortnite.placement) as placements
"""


async def counted(
    db: Database,
    elasticsearch: AsyncElasticsearch,
    settings: Settings,
    started: datetime,
    cycles: list[datetime],
) -> dict[str, Any]:
    """Numbers of the pass that began at ``started`` and took the CCU ``cycles``.

    ``landed`` are islands whose details were fetched in this pass and are in the database,
    ``changed`` those of them that were new or differ, ``skipped`` values that were no sample;
    ``named`` are creators whom the bulk route described, ``paged`` those whose player page was read.
    Roll-ups are counted from the bucket of the first cycle on; of metrics and rankings, all that is there.
    """
    span = {"started": started, "cycles": cycles, "first": min(cycles)}
    index = f"{settings.search_prefix}island"
    await elasticsearch.indices.refresh(index=index)
    documents = await elasticsearch.count(index=index)
    return {
        "islands": {**await db.fetch_one(ISLANDS, span), **await db.fetch_one(REJECTED, span)},
        "creators": await db.fetch_one(CREATORS),
        "ccu": await db.fetch_one(CCU, span),
        "metrics": await db.fetch_one(METRICS),
        "discovery": await db.fetch_one(DISCOVERY),
        "ranking": await db.fetch_one(RANKING),
        "rollup": await db.fetch_one(ROLLUP, span),
        "search": {"island": documents["count"]},
    }
