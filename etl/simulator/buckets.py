"""The metrics of a bucket out of the play counts of the same world.

The peak of a bucket is the highest of its ten-minute samples, the minutes played are their sum times
ten; players and plays follow by the ratios that were measured, each island with its own.
"""

from functools import lru_cache

from etl.simulator import measured
from etl.simulator.days import Day
from etl.simulator.digits import mix, unit
from etl.simulator.world import DAY, Wake, World

SAMPLE = 600.0
# Players below which a day's return rates are not told.
_LEAST_FOR_RETENTION = 20
_Ratio = tuple[float, float, float]


def compute(world: World, key: int, start: float, end: float) -> Day:
    """The metrics of an island from ``start`` to ``end`` (unix seconds); nulls where too few played."""
    return _compute(world, key, start, end, world.woken.get(key, ()))


# A closed bucket is asked for again on each of seven days.
@lru_cache(maxsize=50_000)
def _compute(world: World, key: int, start: float, end: float, _woken: tuple[Wake, ...]) -> Day:
    born = world.born(key)
    first = start if born <= start else born - born % SAMPLE + SAMPLE
    samples = [world.ccu(key, first + n * SAMPLE) for n in range(round((end - first) // SAMPLE))]
    minutes = 10 * sum(samples)
    average = _ratio(world, key, 1, measured.AVERAGE_MINUTES)
    unique = round(minutes / average)
    if unique < measured.LEAST_UNIQUE_PLAYERS:
        return Day()
    day = int(start // DAY)
    told = end - start >= DAY / 2 and unique >= _LEAST_FOR_RETENTION
    return Day(
        peak_ccu=max(samples),
        plays=round(unique * _ratio(world, key, 2, measured.PLAYS_PER_UNIQUE)),
        unique_players=unique,
        average_minutes_per_player=round(minutes / unique, 2),
        minutes_played=minutes,
        favorites=round(unique * _ratio(world, key ^ day, 3, measured.FAVORITES_PER_UNIQUE)),
        recommendations=round(
            unique * _ratio(world, key ^ day, 4, measured.RECOMMENDATIONS_PER_UNIQUE)
        ),
        retention_d1=_rate(world, key, 5, measured.RETENTION_D1) if told else None,
        retention_d7=(
            _rate(world, key, 6, measured.RETENTION_D7) if told and start - born > 7 * DAY else None
        ),
    )


def _ratio(world: World, key: int, turn: int, percentiles: _Ratio) -> float:
    """A ratio drawn so that its 5th, 50th and 95th percentiles are the measured ones."""
    low, middle, high = percentiles
    u = unit(mix(world.digits.salt, turn), key)
    if u < 0.5:
        return low + (middle - low) * max(0.0, u - 0.05) / 0.45
    return middle + (high - middle) * min(1.0, (u - 0.5) / 0.45)


def _rate(world: World, key: int, turn: int, percentiles: _Ratio) -> float:
    return round(_ratio(world, key, turn, percentiles), 2)
