"""Looking after the queue and after what has become old."""

from collections import Counter

import structlog

from etl.engine import ages
from etl.pipelines import AGED
from jobs import app
from jobs.tools import Tools

log = structlog.get_logger(__name__)

QUEUE = "maintenance"


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
    """Drop samples and delete rows that are older than the settings keep them; compress samples that are older."""
    return await ages.retain(tools.database, tools.settings, AGED)
