"""Sending what changed to Elasticsearch."""

from etl.search.client import open_elasticsearch
from etl.search.sync import Numbers
from etl.search.sync import sync as sync_documents
from jobs import app
from jobs.tools import Tools

# A sync that has more to do than this leaves it to the next tick, so that it ends within the grace of a worker.
MOST_DOCUMENTS = 50_000


@app.every("* * * * * */15", "search.sync", queue="search", priority=20)
async def sync(tools: Tools) -> Numbers:
    """Send changed documents to Elasticsearch."""
    async with open_elasticsearch(tools.settings) as elasticsearch:
        return await sync_documents(
            tools.database, elasticsearch, tools.settings, limit=MOST_DOCUMENTS
        )
