"""What is done once for each day that is over, however late: its progress is a stored watermark, not a clock."""

from datetime import UTC, date, datetime, timedelta

from etl.engine.clock import read_clock
from etl.engine.database import Database

A_DAY = timedelta(days=1)


async def midnight(db: Database, now: datetime | None = None) -> datetime:
    """When the UTC day of ``now`` began; of the present, by the database's clock."""
    now = now or (await read_clock(db)).now()
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def days_due(db: Database, name: str, *, now: datetime | None = None) -> list[date]:
    """UTC days that are over and not done yet by the watermark ``name``, oldest first; at first yesterday alone."""
    yesterday = (await midnight(db, now)).date() - A_DAY
    rows = await db.fetch(
        "select (value ->> 'day')::date as day from engine.watermark where name = %s", [name]
    )
    if not rows:
        return [yesterday]
    done: date = rows[0]["day"]
    return [done + A_DAY * n for n in range(1, (yesterday - done).days + 1)]


async def day_done(db: Database, name: str, day: date) -> None:
    """Remember that ``day``, and all before it, is done; it never goes back."""
    await db.execute(
        "insert into engine.watermark as w (name, value) values (%s, jsonb_build_object('day', %s::date))"
        " on conflict (name) do update set value = excluded.value, moved_at = now()"
        " where (w.value ->> 'day')::date < (excluded.value ->> 'day')::date",
        [name, day],
    )
