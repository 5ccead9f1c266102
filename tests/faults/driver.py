"""A worker that does one thing after the other, as fast as it can, until nothing is left to do.

``python -m tests.faults.driver [again]``: with ``again`` all islands are listed and fetched once more, and no CCU is
sampled. Killed and started as often as one likes, it goes on from what is in the database.
"""

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from typing import LiteralString

from etl.embedded import database_url
from etl.engine import timeseries, watermark
from etl.engine.database import Database, open_database
from etl.fortnite import client
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.islands import refresh_islands
from etl.fortnite.performance import compute
from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.sync import sync
from etl.settings import Settings, settings
from tests.faults.world import PAGE, TS

DUE: LiteralString = (
    "select count(*) as n from engine.crawl "
    "where state <> 'dead' and due_at <= now() and resource = %s"
)
LISTED = "test.listed"


async def work(db: Database, options: Settings, *, again: bool) -> None:
    """The pipeline from its source to its roll-ups."""
    turn = 2 if again else 1
    if (await watermark.load(db, LISTED)).get("turn") != turn:
        await ingest(db, options)
        await watermark.save(db, LISTED, {"turn": turn})
    while True:
        await refresh_until_nothing_is_due(db, options)
        if again:
            return
        await cycle(db, options, TS)
        if not await due(db, "fortnite.creator_page") and not await due(db, "fortnite.island"):
            break
        await asyncio.sleep(0.05)
    await timeseries.refresh(db, until=TS + timedelta(days=2))
    await compute(db, TS)


async def refresh_until_nothing_is_due(db: Database, options: Settings) -> None:
    while await due(db, "fortnite.island"):
        await refresh_islands(db, options, 100_000)
        await asyncio.sleep(0.05)  # what is leased by the dead is due, but not free


async def due(db: Database, resource: str) -> int:
    return int((await db.fetch_one(DUE, (resource,)))["n"])


async def send(db: Database, options: Settings, done: asyncio.Event) -> None:
    """Sync all the while, and to the end once the rest is done."""
    async with open_elasticsearch(options) as elasticsearch:
        while True:
            last = done.is_set()
            with suppress(SearchUnavailable):  # the next turn is the retry
                await sync(db, elasticsearch, options)
            waiting = await db.fetch_one("select count(*) as n from search.pending")
            if last and not waiting["n"]:
                return
            await asyncio.sleep(0.05)


async def main() -> None:
    client.MOST_LISTED = PAGE
    options = settings()
    done = asyncio.Event()
    async with open_database(database_url(options)) as db:

        async def first() -> None:
            await work(db, options, again="again" in sys.argv)
            done.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(first())
            group.create_task(send(db, options, done))


if __name__ == "__main__":
    asyncio.run(main())
