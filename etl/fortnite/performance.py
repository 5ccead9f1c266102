"""How each island fared over the last 24 hours, 7 days and 30 days."""

import asyncio
from datetime import datetime

from etl.engine.database import Database

SIDE_BY_SIDE = 2

DUE = """
select d.island_ids
from fortnite.performance_due(%(at)s, %(turns)s) as d
"""
NEWEST = (
    "select nullif(newest, '-infinity') as at from engine.series where relation = 'fortnite.ccu'"
)
COMPUTE = "select fortnite.compute_performance(%s, %s) as written"


async def compute(db: Database, at: datetime | None = None, *, turns: int = 1) -> int:
    """Bring ``fortnite.island_performance`` to the cycle ``at``, or to the newest one; how many rows were written.

    Islands that nobody played for 30 days are looked at once a day. With ``turns`` the others take turns, one cycle in
    so many: 6 spreads the work over an hour. An island sampled for the first time does not wait.

    Computed from roll-ups, 5,000 islands a transaction: dying in the middle leaves some islands at the earlier cycle
    until their next turn. Only rows that changed are written; documents whose numbers moved enough are marked.
    """
    cycle = at or (await db.fetch_one(NEWEST))["at"]
    if cycle is None:
        return 0
    due = iter(await db.fetch(DUE, {"at": cycle, "turns": turns}))

    async def worker() -> int:
        written = 0
        for row in due:
            done = await db.fetch_one(COMPUTE, [cycle, row["island_ids"]])
            written += done["written"]
        return written

    return sum(await asyncio.gather(*(worker() for _ in range(SIDE_BY_SIDE))))
