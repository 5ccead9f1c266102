"""How each island fared over the last 24 hours, 7 days and 30 days."""

import asyncio
from datetime import datetime

from etl.engine.database import Database

ISLANDS = 5000  # a transaction marks no more documents than this
SIDE_BY_SIDE = 2

SPAN = """
select
  coalesce(%s, nullif(s.newest, '-infinity')) as at,
  coalesce((select max(n.island_id) from fortnite.island_now as n), 0) as last
from engine.series as s
where s.relation = 'fortnite.ccu'
"""
COMPUTE = "select fortnite.compute_performance(%s, %s, %s) as changed"


async def compute(db: Database, at: datetime | None = None) -> int:
    """Bring ``fortnite.island_performance`` to the cycle ``at``, or to the newest one; how many rows changed.

    Computed from roll-ups, 5,000 islands a transaction: dying in the middle leaves some islands at the earlier cycle
    until the next run. Only rows that changed are written; documents whose numbers moved enough are marked.
    """
    span = await db.fetch_one(SPAN, [at])
    if span["at"] is None:
        return 0
    starts = iter(range(1, span["last"] + 1, ISLANDS))

    async def worker() -> int:
        changed = 0
        for low in starts:
            row = await db.fetch_one(COMPUTE, [span["at"], low, low + ISLANDS - 1])
            changed += row["changed"]
        return changed

    return sum(await asyncio.gather(*(worker() for _ in range(SIDE_BY_SIDE))))
