"""Whether Elasticsearch holds exactly what the views have: every document, field by field."""

from typing import Any

from elasticsearch import AsyncElasticsearch
from psycopg import sql

from etl.engine.database import Database
from etl.search.indices import INDICES, alias
from etl.settings import Settings

SIZE = 2000
MISSING = "no document"
EXTRA = "no row"


async def differences(db: Database, es: AsyncElasticsearch, settings: Settings) -> dict[str, Any]:
    """What is wrong, by index and id; empty when every document equals its view row.

    Of each: ``MISSING``, ``EXTRA``, or the fields that differ, with what the document and the row say.
    Nobody may write meanwhile, and no mark may be pending.
    """
    wrong: dict[str, Any] = {}
    for index in INDICES:
        rows, documents = await rows_of(db, index), await documents_of(es, alias(index, settings))
        for key in rows.keys() | documents.keys():
            if key not in documents:
                wrong[f"{index} {key}"] = MISSING
            elif key not in rows:
                wrong[f"{index} {key}"] = EXTRA
            elif documents[key] != rows[key]:
                wrong[f"{index} {key}"] = {
                    field: (documents[key].get(field), rows[key].get(field))
                    for field in documents[key].keys() | rows[key].keys()
                    if documents[key].get(field) != rows[key].get(field)
                }
    return wrong


async def rows_of(db: Database, index: str) -> dict[str, Any]:
    """The rows of an index's view, by id."""
    view = sql.Identifier("search", f"{index}_document")
    async with db.connection() as conn:
        found = await conn.execute(sql.SQL("select id, body from {}").format(view))
        return {row["id"]: row["body"] for row in await found.fetchall()}


async def documents_of(es: AsyncElasticsearch, name: str) -> dict[str, Any]:
    """All documents of an index, by id, however many."""
    await es.indices.refresh(index=name)
    opened = await es.open_point_in_time(index=name, keep_alive="1m")
    pit: dict[str, Any] = {"id": opened["id"], "keep_alive": "1m"}
    documents: dict[str, Any] = {}
    after: list[Any] | None = None
    while True:
        answer = await es.search(
            pit=pit, size=SIZE, sort="_shard_doc", search_after=after, track_total_hits=False
        )
        hits = answer["hits"]["hits"]
        if not hits:
            await es.close_point_in_time(id=pit["id"])
            return documents
        documents |= {hit["_id"]: hit["_source"] for hit in hits}
        after = hits[-1]["sort"]
