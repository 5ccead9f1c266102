"""What the islands of each creator add up to: now, and for each day that is over."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from etl.engine import timeseries
from etl.engine.daily import A_DAY, day_done, days_due
from etl.engine.database import Database

WATERMARK = "fortnite.creator_daily"
CREATORS = 5000  # a transaction holds the crawl rows of no more than these

HISTORY = """
insert into fortnite.creator_late (day) select d.day from fortnite.days_landed(%s, %s) as d (day)
on conflict (day) do nothing
"""


@dataclass(frozen=True, slots=True)
class Closed:
    """Days that were added up, rows that made or corrected, crawl rows that changed their class."""

    days: int
    rows: int
    classes: int


async def count(db: Database) -> int:
    """Bring ``fortnite.creator_now`` to the latest samples and performance; how many rows changed.

    One statement: it dies whole or not at all. Then documents of creators whose numbers moved enough
    are marked, 5,000 a transaction; dying in between leaves the others to the next call.
    """
    row = await db.fetch_one("select fortnite.count_creators() as changed")
    changed: int = row["changed"]
    while (await db.fetch_one("select fortnite.tell_creators() as told"))["told"]:
        pass
    return changed


async def close_days(db: Database) -> Closed:
    """Add up the days that are over and were not yet, oldest first; sort creators into crawl classes.

    The first time that is every day that has samples. Days done earlier whose samples changed since are added up again:
    a day is stored before, so that they are noticed. A day a transaction, remembered when it is done: dying in between
    loses none.
    """
    days = await days_due(db, WATERMARK)
    rows = 0
    if days:
        await timeseries.refresh(db, until=_midnight(days[-1] + A_DAY))
        await db.execute(HISTORY, [WATERMARK, _midnight(days[0])])
    for day in days:
        rows += await close_day(db, day)
        await day_done(db, WATERMARK, day)
    while (late := await db.fetch_one("select fortnite.close_late_creators() as rows"))[
        "rows"
    ] is not None:
        rows += late["rows"]
    return Closed(len(days), rows, await _classify(db))


async def close_day(db: Database, day: date) -> int:
    """Add up one UTC day, again where it was done before; how many rows that wrote."""
    row = await db.fetch_one("select fortnite.close_creators(%s) as rows", [day])
    rows: int = row["rows"]
    return rows


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def _classify(db: Database) -> int:
    changed, last = 0, ""
    while True:
        row = await db.fetch_one(
            "select * from fortnite.classify_creators(%s, %s)", [last, CREATORS]
        )
        if row["last"] is None:
            return changed
        changed += row["changed"]
        last = row["last"]
