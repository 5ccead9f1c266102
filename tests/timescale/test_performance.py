"""Performance is the same on every ground."""

from datetime import timedelta

from etl.engine import timeseries
from etl.fortnite import performance
from tests.fortnite.test_performance import NOW, expected, fill, has, rows, store
from tests.timescale.conftest import Ground
from tests.timescale.model import DAY


async def test_numbers_are_those_of_the_samples(ground: Ground) -> None:
    truth = await fill(ground.db, timedelta(days=2), gaps=0.7)
    await timeseries.refresh(ground.db, until=NOW - DAY)
    late = NOW - timedelta(hours=30)
    await store(ground.db, late, {"b": 7777})
    await timeseries.refresh(ground.db)
    assert await performance.compute(ground.db) == 3
    found = await rows(ground.db)
    for code in "abc":
        has(found[code], expected(truth | {("b", late): 7777}, code))
    assert await performance.compute(ground.db) == 0
