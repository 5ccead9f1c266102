"""Whatever is written, deleted and refreshed in whatever order: the roll-ups equal a direct aggregate."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.engine import timeseries
from tests.timescale.conftest import Ground, clean
from tests.timescale.model import DAY, STEP, Sample, at, check, put, raw

START = at("2026-11-29 22:00")  # two days and a month end within reach
ISLANDS = st.integers(1, 3)
INSTANTS = st.integers(0, 3 * 144).map(lambda n: START + STEP * n)
WRITE = st.dictionaries(st.tuples(INSTANTS, ISLANDS), st.integers(0, 50), min_size=1, max_size=12)
DELETE = st.tuples(INSTANTS, st.integers(0, 80).map(lambda n: STEP * n), ISLANDS)
REFRESH = st.sampled_from(["refresh"])
STEPS = st.lists(st.one_of(WRITE, WRITE, DELETE, REFRESH), min_size=1, max_size=10)


@given(steps=STEPS)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_rollups_equal_a_direct_aggregate(
    ground: Ground, steps: list[dict[Sample, int] | tuple[object, timedelta, int] | str]
) -> None:
    db = ground.db
    await clean(db)
    for step in steps:
        if isinstance(step, dict):
            await put(db, step)
        elif isinstance(step, tuple):
            start, span, island = step
            await db.execute(
                "delete from fortnite.ccu where ts between %(t)s and %(t)s + %(s)s and island_id = %(i)s",
                {"t": start, "s": span, "i": island},
            )
        else:
            await timeseries.refresh(db)
            await check(db)
    await timeseries.refresh(db)
    await check(db)
    newest = max((ts for ts, _ in await raw(db)), default=START)
    await timeseries.refresh(db, until=newest + DAY)
    await check(db)
