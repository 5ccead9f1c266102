"""Samples of a CCU cycle on their way into the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from etl.engine.arrays import IntegerArray, TextArray
from etl.engine.database import Database

STORE = "select s.stored, s.skipped, s.discovered from fortnite.store_ccu(%s, %s, %s, %s) as s"


@dataclass(frozen=True)
class Stored:
    """Samples of a batch that are stored, values that are none, islands met for the first time."""

    stored: int
    skipped: int
    discovered: int


async def store(
    db: Database, ts: datetime, source: str, counts: Mapping[str, int | None]
) -> Stored:
    """Store the counts of at most 5,000 islands, by code, as samples of the cycle that starts at ``ts``.

    One transaction, one round trip. None and values below zero are no samples; a batch sent twice counts once. What
    else follows (latest CCU, records, marks, samples too old) is said at ``fortnite.store_ccu``.

    Raises:
        psycopg.errors.CheckViolation: ``ts`` is not at a ten-minute step.
        struct.error: a count has more than 32 bits.
    """
    arrays = (TextArray.of(counts), IntegerArray.of(list(counts.values())))
    row = await db.fetch_one(STORE, (ts, source, *arrays))
    return Stored(**row)
