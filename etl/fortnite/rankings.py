"""Rankings of each day that is over, and how islands trend: kept right however late their data comes."""

from dataclasses import dataclass
from datetime import date, datetime

from etl.engine import timeseries
from etl.engine.daily import A_DAY, day_done, days_due, midnight
from etl.engine.database import Database
from etl.settings import Settings

NAME = "fortnite.ranking"
SOURCES = ("ccu", "metric")
MARKS = 5000  # a transaction marks no more documents than these

LATE = "select distinct day, source from fortnite.ranking_due where day <= %s and source <> 'trend'"
HISTORY = """
insert into fortnite.ranking_due (day, source) select d.day, 'ccu' from fortnite.days_landed(%s, %s) as d (day)
"""
ROOM = "select fortnite.make_ranking_room(%s)"
RANK = "select fortnite.compute_rankings(%s, %s, %s) as changed"
TREND = """
select fortnite.compute_trends(%s) as changed
where exists (select from fortnite.ranking_due where source = 'trend')
"""
MARK = "select fortnite.mark_trends(%s) as marked"


@dataclass(frozen=True, slots=True)
class Ranked:
    """Days ranked for the first time and again, rows of rankings and trends that changed, documents marked."""

    days: int
    corrected: int
    rows: int
    trends: int
    marked: int


async def compute_days(db: Database, settings: Settings, *, now: datetime | None = None) -> Ranked:
    """Rank the UTC days that are over and were not yet, and again those whose numbers changed since; then trends.

    The first time that is every day that has samples. Days come oldest first. A day is first stored, so that whatever
    comes to it later is logged (``fortnite.ranking_due``) and found here by the next call. Each day and source is a
    transaction: dying in between loses nothing, and doing a day twice changes nothing. ``now`` is the present where the
    clock is another's.
    """
    today = await midnight(db, now)
    yesterday = today.date() - A_DAY
    first = await days_due(db, NAME, now=today)
    if first:
        await timeseries.refresh(db, until=today)
        await db.execute(HISTORY, [NAME, today])
    late = {(row["day"], row["source"]) for row in await db.fetch(LATE, [yesterday])}
    rows = 0
    for day in sorted({*first, *(day for day, _ in late)}):
        new = day in first
        for source in SOURCES:
            if new or (day, source) in late:
                rows += await rank(db, day, source, settings.fortnite_ranking_top)
        if new:
            await day_done(db, NAME, day)
    trends = sum(row["changed"] for row in await db.fetch(TREND, [yesterday]))
    return Ranked(
        days=len(first),
        corrected=len({day for day, _ in late} - {*first}),
        rows=rows,
        trends=trends,
        marked=await _mark(db),
    )


async def rank(db: Database, day: date, source: str, top: int) -> int:
    """Rank one UTC day by what comes from ``source`` (ccu or metric), down to ``top``; how many rows changed.

    The day must be stored (``timeseries.refresh(until=its end)``), or what comes to it later is not noticed.
    """
    await db.execute(ROOM, [day])
    changed: int = (await db.fetch_one(RANK, [day, source, top]))["changed"]
    return changed


async def _mark(db: Database) -> int:
    """Mark documents that show another rank or trend now; what is left when this dies, the next call marks."""
    marked = 0
    while done := (await db.fetch_one(MARK, [MARKS]))["marked"]:
        marked += int(done)
    return marked
