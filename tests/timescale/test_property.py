"""Whatever is written, deleted, refreshed and dropped in whatever order: the roll-ups equal a direct aggregate."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.engine import timeseries
from etl.engine.database import Database
from etl.settings import Settings
from tests.timescale.conftest import Ground, clean
from tests.timescale.model import DAY, HOUR, STEP, Sample, aggregate, at, daily, hourly, put, raw

START = at("2026-11-29 22:00")  # two days and a month end within reach
ISLANDS = st.integers(1, 3)
INSTANTS = st.integers(0, 3 * 144).map(lambda n: START + STEP * n)
WRITE = st.dictionaries(st.tuples(INSTANTS, ISLANDS), st.integers(0, 50), min_size=1, max_size=12)
DELETE = st.tuples(INSTANTS, st.integers(0, 80).map(lambda n: STEP * n), ISLANDS)
REFRESH = st.just("refresh")
RETAIN = st.integers(2, 6)  # days after the start on which a retention runs
STEPS = st.lists(st.one_of(WRITE, WRITE, DELETE, REFRESH, RETAIN), min_size=1, max_size=10)
Step = dict[Sample, int] | tuple[datetime, timedelta, int] | str | int

KEEP = Settings(ccu_retention_days=2, ccu_hourly_retention_days=4, ccu_compression_days=1)


@given(steps=STEPS)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_rollups_equal_a_direct_aggregate(ground: Ground, steps: list[Step]) -> None:
    db = ground.db
    await clean(db)
    ever: dict[Sample, int] = {}  # what was ever let in, dropped since or not
    samples_from = hours_from = at("1970-01-01 00:00")
    for step in steps:
        if isinstance(step, dict):
            let_in = {key: ccu for key, ccu in step.items() if key[0] >= samples_from}
            await put(db, let_in)
            ever |= let_in
        elif isinstance(step, tuple):
            start, span, island = step
            first, last = max(start, samples_from), start + span
            await db.execute(
                "delete from fortnite.ccu where ts between %s and %s and island_id = %s",
                [first, last, island],
            )
            ever = {k: v for k, v in ever.items() if k[1] != island or not first <= k[0] <= last}
        elif isinstance(step, int):
            now = START + step * DAY
            await timeseries.retain(db, KEEP, at=now)
            samples_from = max(samples_from, _midnight(now - 2 * DAY))
            hours_from = max(hours_from, _midnight(now - 4 * DAY))
            await _check(db, ever, samples_from, hours_from)
        else:
            await timeseries.refresh(db)
            await _check(db, ever, samples_from, hours_from)
    newest = max((ts for ts, _ in ever), default=START)
    for until in (None, newest + DAY):
        await timeseries.refresh(db, until=until)
        await _check(db, ever, samples_from, hours_from)


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0)


async def _check(
    db: Database, ever: dict[Sample, int], samples_from: datetime, hours_from: datetime
) -> None:
    assert await raw(db) == {key: ccu for key, ccu in ever.items() if key[0] >= samples_from}
    hours = aggregate(ever, HOUR)
    assert await hourly(db) == {key: row for key, row in hours.items() if key[0] >= hours_from}
    assert await daily(db) == aggregate(ever, DAY)
