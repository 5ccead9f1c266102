"""The schedule of pipeline ``fortnite``."""

from etl.engine import timeseries
from etl.engine.daily import day_done, days_due
from etl.fortnite import discovery as fortnite_discovery
from etl.fortnite import performance as fortnite_performance
from etl.fortnite import placements, rankings, totals
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.classify import classify as classify_islands
from etl.fortnite.client import MOST_CODES
from etl.fortnite.islands import refresh_islands
from etl.fortnite.metrics import read_due
from etl.fortnite.players import refresh_creators
from jobs import app
from jobs.sources import reads
from jobs.tools import Tools

QUEUE = "fortnite"


@app.every("*/30 * * * *", "fortnite.catalogue", queue=QUEUE)
@reads("catalogue")
async def catalogue(tools: Tools) -> object:
    """List the islands of the public catalogue."""
    return await ingest(tools.database, tools.settings)


@app.every("* * * * *", "fortnite.island", queue=QUEUE)
@reads("links")
async def island(tools: Tools) -> object:
    """Fetch the details of islands that are due: as many as the Links service allows in a minute."""
    limit = tools.settings.fortnite_links_per_minute * MOST_CODES
    return await refresh_islands(tools.database, tools.settings, limit)


@app.every("* * * * *", "fortnite.metrics", queue=QUEUE)
@reads("metrics")
async def metrics(tools: Tools) -> object:
    """Read the daily metrics of islands that are due: as many as the Data API allows in a minute."""
    limit = max(1, int(tools.settings.fortnite_data_per_second * 60))
    return await read_due(tools.database, tools.settings, limit=limit)


@app.every("*/10 * * * *", "fortnite.ccu", queue=QUEUE, priority=10)
@reads("ccu")
async def ccu(tools: Tools) -> object:
    """Sample the players of every island that has some."""
    return await cycle(tools.database, tools.settings)


@app.every("*/10 * * * *", "fortnite.discovery", queue=QUEUE, priority=9)
@reads("discovery")
async def discovery(tools: Tools) -> object:
    """Read who stands where on the discovery surfaces of every region."""
    return await fortnite_discovery.read(tools.database, tools.settings)


@app.every("23 * * * *", "fortnite.placement_daily", queue=QUEUE)
async def placement_daily(tools: Tools) -> dict[str, int]:
    """Sum up what discovery did with each island on the days that are over."""
    return await placements.compute_days(tools.database)


@app.every("*/5 * * * *", "fortnite.rollup", queue=QUEUE, priority=5)
async def rollup(tools: Tools) -> object:
    """Roll samples up to hours and days, and make room for those to come."""
    await timeseries.ensure_partitions(tools.database)
    return await timeseries.refresh(tools.database)


@app.every("7-59/10 * * * *", "fortnite.performance", queue=QUEUE, priority=5)
async def performance(tools: Tools) -> dict[str, int]:
    """Compute how islands fared over 24 hours, 7 days and 30 days: each once an hour, a new one at once."""
    return {"changed": await fortnite_performance.compute(tools.database, turns=6)}


@app.every("12 * * * *", "fortnite.ranking", queue=QUEUE)
async def ranking(tools: Tools) -> object:
    """Rank islands by the days that are over, correct days that data came late for, and compute trends."""
    return await rankings.compute_days(tools.database, tools.settings)


@app.every("17 * * * *", "fortnite.classify", queue=QUEUE)
async def classify(tools: Tools) -> dict[str, int]:
    """Sort islands into popular, ordinary and dead-looking ones, once a day."""
    due = await days_due(tools.database, "fortnite.classify")
    if not due:
        return {"days": 0}
    changed = await classify_islands(tools.database, tools.settings)
    await day_done(tools.database, "fortnite.classify", due[-1])
    return {"days": 1, "changed": changed}


@app.every("* * * * *", "fortnite.creator", queue=QUEUE)
@reads("creators")
async def creator(tools: Tools) -> object:
    """Fetch who creators are, as the rate they share with creator pages allows."""
    return await refresh_creators(tools.database, tools.settings)


@app.every("8-59/10 * * * *", "fortnite.creator_now", queue=QUEUE, priority=5)
async def creator_now(tools: Tools) -> dict[str, int]:
    """Add up the islands of every creator."""
    return {"changed": await totals.count(tools.database)}


@app.every("27 * * * *", "fortnite.creator_daily", queue=QUEUE)
async def creator_daily(tools: Tools) -> object:
    """Add up days that are over by creator, and sort creators into crawl classes."""
    return await totals.close_days(tools.database)
