"""What discovery did with each island on each day that is over."""

from datetime import datetime

from etl.engine.daily import day_done, days_due
from etl.engine.database import Database

NAME = "fortnite.placement_daily"
COMPUTE = "select fortnite.compute_placement_day(%s) as changed"


async def compute_days(db: Database, *, now: datetime | None = None) -> dict[str, int]:
    """Compute ``fortnite.placement_daily`` of every UTC day that is over and not computed yet.

    Days come from a stored watermark, oldest first, each in a transaction of its own: one that was
    missed is computed from the spans of that day, and when this dies the next goes on. ``now`` is the
    present where the clock is another's. Gives days done and rows changed.
    """
    changed = 0
    days = await days_due(db, NAME, now=now)
    for day in days:
        changed += (await db.fetch_one(COMPUTE, [day]))["changed"]
        await day_done(db, NAME, day)
    return {"days": len(days), "changed": changed}
