"""Sending what changed to Elasticsearch, building its indices again, and comparing them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from elasticsearch import AsyncElasticsearch

from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.indices import INDICES
from etl.search.rebuild import Turn, turn
from etl.search.reconcile import Report
from etl.search.reconcile import reconcile as compare
from etl.search.sync import Numbers
from etl.search.sync import sync as sync_documents
from jobs import app
from jobs.tools import Tools

# What has more to do than this leaves it to the next tick, so that it ends within the grace of a worker.
MOST_DOCUMENTS = 50_000
MOST_SECONDS = 30.0

Done = TypeVar("Done")


@app.every("* * * * * */15", "search.sync", queue="search", priority=20)
async def sync(tools: Tools) -> Numbers:
    """Send changed documents to Elasticsearch."""
    async with open_elasticsearch(tools.settings) as elasticsearch:
        return await sync_documents(
            tools.database, elasticsearch, tools.settings, limit=MOST_DOCUMENTS
        )


@app.every("* * * * * */20", "search.rebuild", queue="search", priority=10)
async def rebuild(tools: Tools) -> dict[str, Turn]:
    """Build indices again that are for another mapping or view, were lost, or were asked for."""

    async def one(elasticsearch: AsyncElasticsearch, index: str) -> Turn:
        return await turn(tools.database, elasticsearch, tools.settings, index, MOST_SECONDS)

    return await _each(tools, one)


@app.every("23 5 * * *", "search.reconcile", queue="search")
async def reconcile(tools: Tools) -> dict[str, Report]:
    """Compare every index with the database; what drifted is sent again."""

    async def one(elasticsearch: AsyncElasticsearch, index: str) -> Report:
        return await compare(tools.database, elasticsearch, tools.settings, index, repair=True)

    return await _each(tools, one)


async def _each(
    tools: Tools, work: Callable[[AsyncElasticsearch, str], Awaitable[Done]]
) -> dict[str, Done]:
    """Work on every index; one that cannot be had keeps no other from its turn, but fails the job."""
    done, kept = dict[str, Done](), None
    async with open_elasticsearch(tools.settings) as elasticsearch:
        for index in INDICES:
            try:
                done[index] = await work(elasticsearch, index)
            except SearchUnavailable as error:
                kept = kept or error
    if kept is not None:
        raise kept
    return done
