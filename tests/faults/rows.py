"""All that a pipeline leaves behind, in a form that two databases can be compared in."""

from typing import Any, LiteralString

from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.search.indices import alias
from etl.settings import Settings
from tests.faults.world import differences

# Identities and the instants of fetches are a database's own; whether there was such an instant is not.
ROWS: dict[str, LiteralString] = {
    "islands": """
        select i.code as key, to_jsonb(i) - array['island_id', 'first_seen_at', 'listed_at', 'detailed_at', 'gone_at']
          || jsonb_build_object(
            'listed', i.listed_at is not null, 'detailed', i.detailed_at is not null, 'gone', i.gone_at is not null
          ) as value
        from fortnite.island as i
    """,
    "changes": """
        select i.code as key, jsonb_agg(
          to_jsonb(c) - array['change_id', 'island_id', 'changed_at', 'old', 'new']
            || jsonb_build_object(
              'old', c.old - 'gone_at', 'new', c.new - 'gone_at', 'was', c.old ->> 'gone_at' is not null
            )
          order by c.change_id
        ) as value
        from fortnite.island_change as c
        join fortnite.island as i using (island_id)
        group by i.code
    """,
    "documents": """
        select d.resource || ' ' || d.key || ' ' || d.version as key,
          jsonb_build_object('hash', d.body_hash::text, 'body', d.body) as value
        from raw.document as d
    """,
    "crawl": """
        select c.resource || ' ' || c.key as key,
          jsonb_build_object(
            'state', c.state, 'attempts', c.attempts, 'version', c.version, 'hash', c.body_hash::text,
            'error', c.last_error, 'class', c.class, 'free', c.leased_until = '-infinity', 'due', c.due_at <= now()
          ) as value
        from engine.crawl as c
    """,
    "rejected": "select r.rejected_id::text as key, to_jsonb(r) as value from raw.rejected as r",
    "ccu": """
        select i.code || ' ' || c.ts as key, to_jsonb(c) - 'island_id' as value
        from fortnite.ccu as c join fortnite.island as i using (island_id)
    """,
    "hourly": """
        select i.code || ' ' || c.ts as key, to_jsonb(c) - 'island_id' as value
        from fortnite.ccu_hourly as c join fortnite.island as i using (island_id)
    """,
    "daily": """
        select i.code || ' ' || c.ts as key, to_jsonb(c) - 'island_id' as value
        from fortnite.ccu_daily as c join fortnite.island as i using (island_id)
    """,
    "now": """
        select i.code as key, to_jsonb(n) - 'island_id' as value
        from fortnite.island_now as n join fortnite.island as i using (island_id)
    """,
    "performance": """
        select i.code as key, to_jsonb(p) - 'island_id' as value
        from fortnite.island_performance as p join fortnite.island as i using (island_id)
    """,
    "view": "select d.id as key, d.body as value from search.island_document as d",
}

UNFOUNDED: LiteralString = """
select i.code, c.changed_at
from fortnite.island_change as c
join fortnite.island as i using (island_id)
where not exists (
  select from raw.document as d where d.resource = c.resource and d.key = i.code and d.fetched_at = c.changed_at
)
"""

Rows = dict[str, dict[str, Any]]


async def rows(db: Database) -> Rows:
    """Rows by what they are and their key."""
    found: Rows = {}
    for what, query in ROWS.items():
        listed = await db.fetch(query)
        found[what] = {row["key"]: row["value"] for row in listed}
        assert len(found[what]) == len(listed), f"{what}: a key twice"
    assert not await db.fetch(UNFOUNDED), "changes that no document shows"
    return found


async def documents(es: AsyncElasticsearch, settings: Settings) -> dict[str, Any]:
    """What readers find in Elasticsearch."""
    name = alias("island", settings)
    await es.indices.refresh(index=name)
    answer = await es.search(index=name, size=10_000, query={"match_all": {}})
    return {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}


def unlike(found: Rows, wanted: Rows) -> dict[str, list[str]]:
    """What differs between two databases."""
    told = {what: differences(found[what], wanted[what]) for what in wanted}
    return {what: lines for what, lines in told.items() if lines}
