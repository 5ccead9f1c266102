"""The database's clock: the one that all workers on all hosts agree on."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from etl.engine.database import Database


@dataclass(frozen=True, slots=True)
class Clock:
    """The database's clock, read once and followed since without asking again."""

    read_at: datetime
    started: float

    def now(self) -> datetime:
        """The instant it is there (UTC), at most the round trip of the reading behind."""
        return self.read_at + timedelta(seconds=time.monotonic() - self.started)


async def read_clock(db: Database) -> Clock:
    """Read the database's clock. What is dated by it has one order, whoever's own clock is wrong."""
    row = await db.fetch_one("select clock_timestamp() as now")
    return Clock(row["now"], time.monotonic())
