"""Islands to project, and what Elasticsearch has of them."""

from typing import Any

from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.search.indices import alias
from etl.settings import Settings

ALL = 10_000


class World:
    """A database and the index it is projected into."""

    def __init__(self, db: Database, es: AsyncElasticsearch, settings: Settings) -> None:
        self.db = db
        self.es = es
        self.settings = settings

    async def island(self, *codes: str, title: str = "An island") -> None:
        """Add islands or change their title, and mark them, as a pipeline does."""
        await self.db.execute(
            """
            with changed as (
              insert into fortnite.island (code, source, first_seen_at, title)
              select code, 'catalogue', now(), %s from unnest(%s::text[]) as code
              on conflict (code) do update set title = excluded.title
              returning code
            )
            select search.mark('island', array_agg(code)) from changed
            """,
            (title, list(codes)),
        )

    async def change(self, assignment: str, *codes: str) -> None:
        """Change islands by an SQL assignment, and mark them."""
        async with self.db.connection() as conn, conn.transaction():
            await conn.execute(
                # In the order of codes, as whoever else writes: none waits for the other in a circle.
                f"""
                update fortnite.island as i set {assignment}
                from (
                  select island_id from fortnite.island
                  where code = any(%s) order by code for update
                ) as o
                where i.island_id = o.island_id
                """.encode(),
                [list(codes)],
            )
            await conn.execute("select search.mark('island', %s)", [list(codes)])

    async def view(self) -> dict[str, Any]:
        """What should be in the index."""
        rows = await self.db.fetch("select id, body from search.island_document")
        return {row["id"]: row["body"] for row in rows}

    async def found(self) -> dict[str, Any]:
        """What is in the index that readers search."""
        name = alias("island", self.settings)
        await self.es.indices.refresh(index=name)
        answer = await self.es.search(index=name, size=ALL, query={"match_all": {}})
        return {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}

    async def searched(self) -> set[str]:
        """Physical indices that readers search."""
        return set(await self.es.indices.get_alias(name=alias("island", self.settings)))

    async def pending(self) -> int:
        """Documents that wait."""
        row = await self.db.fetch_one("select count(distinct (index, id)) as n from search.pending")
        return int(row["n"])

    async def expire(self) -> None:
        """Let every lease run out, as time does after a worker died."""
        await self.db.execute("update search.dirty set leased_until = '-infinity'")

    async def is_equal(self) -> bool:
        """Whether the index holds exactly what the view has, field by field."""
        return await self.found() == await self.view()
