"""Looking after the queue and after what has become old."""

from collections import Counter
from typing import LiteralString

import structlog

from etl.engine import timeseries
from jobs import app
from jobs.tools import Tools

log = structlog.get_logger(__name__)

QUEUE = "maintenance"
ROWS = 10_000  # a transaction deletes no more than these


# Without a lock: one that died with its worker would keep it, and nobody could rescue the rescue. Two at once do no
# harm, each job is taken by one of them.
@app.every("* * * * *", "maintenance.rescue", queue=QUEUE, priority=100, lock=False)
async def rescue(tools: Tools) -> Counter[str]:
    """Put back the jobs of workers that went silent."""
    rescued = await tools.database.fetch(
        "select * from jobs.rescue(make_interval(secs => %s), %s)",
        [tools.settings.worker_silence, tools.settings.worker_attempts],
    )
    for row in rescued:
        log.warning("job.rescued", **row)
    return Counter(row["outcome"] for row in rescued)


@app.every("41 * * * *", "maintenance.retention", queue=QUEUE)
async def retention(tools: Tools) -> dict[str, int]:
    """Drop samples, ended jobs, runs and rejected items that are older than the settings keep them."""
    retained = await timeseries.retain(tools.database, tools.settings)
    rejected = await _prune_rejected(tools)
    metrics = await _prune_metrics(tools)
    jobs, runs = 0, 0
    while True:
        row = await tools.database.fetch_one(
            "select * from jobs.prune(make_interval(days => %s), %s)",
            [tools.settings.run_retention_days, ROWS],
        )
        jobs += row["jobs_deleted"]
        runs += row["runs_deleted"]
        if max(row["jobs_deleted"], row["runs_deleted"]) < ROWS:
            break
    return {
        "partitions_dropped": retained.dropped,
        "partitions_compressed": retained.compressed,
        "jobs_deleted": jobs,
        "runs_deleted": runs,
        "rejected_deleted": rejected,
        "metrics_deleted": metrics,
    }


async def _prune_rejected(tools: Tools) -> int:
    return await _all_of(
        tools,
        "select raw.prune_rejected(make_interval(days => %s), %s) as n",
        tools.settings.rejected_retention_days,
    )


async def _prune_metrics(tools: Tools) -> int:
    return await _all_of(
        tools,
        "select fortnite.prune_metrics(make_interval(days => %s), %s) as n",
        tools.settings.fortnite_metrics_fine_days,
    )


async def _all_of(tools: Tools, prune: LiteralString, days: int) -> int:
    """Call a function that deletes so many rows at most until it finds fewer; how many it deleted."""
    deleted = 0
    while True:
        row = await tools.database.fetch_one(prune, [days, ROWS])
        deleted += int(row["n"])
        if row["n"] < ROWS:
            return deleted
