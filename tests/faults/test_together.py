"""Two workers at the same work at once: nothing twice, nothing lost."""

import asyncio

from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database, open_database
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.islands import refresh_islands
from etl.search.indices import ensure
from etl.search.sync import sync
from etl.settings import Settings
from tests.faults.rows import documents, rows
from tests.faults.world import TS, Truth, differences, samples, wrong_in


async def test_two_of_everything_at_once(
    db: Database, options: Settings, truth: Truth, elasticsearch: AsyncElasticsearch
) -> None:
    url = options.database_url
    assert url is not None
    async with open_database(url.get_secret_value(), size=8) as other:
        listed = await asyncio.gather(ingest(db, options), ingest(other, options))
        # what the other had landed from a later page is left alone, and said to be
        assert [n.landed + n.failed for n in listed] == [len(truth.listed)] * 2
        assert sum(n.changed for n in listed) == len(truth.listed)

        fetched = await asyncio.gather(
            refresh_islands(db, options, 100), refresh_islands(other, options, 1000)
        )
        assert sum(n.landed for n in fetched) == len(truth.listed)

        cycles = await asyncio.gather(cycle(db, options, TS), cycle(other, options, TS))
        assert sum(n.creators for n in cycles) == len(accounts(truth))
        await asyncio.gather(
            refresh_islands(db, options, 1000), refresh_islands(other, options, 1000)
        )
        await asyncio.gather(cycle(db, options, TS), cycle(other, options, TS))
        assert await samples(db) == truth.samples
        assert await wrong_in(db, truth) == {}

        await ensure(db, elasticsearch, options)
        small = options.model_copy(update={"search_batch": 7})
        sent = await asyncio.gather(
            sync(db, elasticsearch, small), sync(other, elasticsearch, small)
        )
        assert sum(n.sent for n in sent) == len(truth.links)
        assert all(n.sent > 0 for n in sent)

    found = await rows(db)
    assert differences(await documents(elasticsearch, options), found["view"]) == []
    assert all(key.endswith(" 1") for key in found["documents"])
    assert not found["changes"]
    assert not found["rejected"]
    (waiting,) = await db.fetch("select count(*) as n from search.pending")
    assert waiting["n"] == 0


def accounts(truth: Truth) -> set[str]:
    """Creators of the islands that were known when the cycle began."""
    return {truth.links[code]["accountId"] for code in truth.listed}
