"""How many play: the peak of an island's day, and its CCU at a minute of it."""

from bisect import bisect_right
from math import exp, log

from etl.simulator import measured
from etl.simulator.digits import mix

_MINUTES = 1440
# How much the day shapes an island: some are flat, some sleep at night.
_SHARPNESS = (0.7, 1.0, 1.4, 1.9)
_NOISE = 0.1
_STRAY = 0.002
_U32 = 4294967296.0


def _at_minute(minute: int) -> float:
    hour, past = divmod(minute, 60)
    here, there = measured.HOUR_OF_DAY[hour], measured.HOUR_OF_DAY[(hour + 1) % 24]
    return here + (there - here) * past / 60


def _shape(sharpness: float) -> tuple[float, ...]:
    highest = max(measured.HOUR_OF_DAY)
    return tuple((_at_minute(m) / highest) ** sharpness for m in range(_MINUTES))


SHAPES = tuple(_shape(sharpness) for sharpness in _SHARPNESS)
_SHARES = tuple(share for share, _ in measured.PEAK_CCU)


def peak(u: float) -> float:
    """The peak CCU of a day that a share ``u`` in [0, 1) of the active islands exceeds."""
    first, top = measured.PEAK_CCU[0]
    if u < first:
        grown: float = top * (max(u, 1e-9) / first) ** measured.PEAK_CCU_SLOPE
        return min(grown, measured.PEAK_CCU_HIGHEST)
    place = min(bisect_right(_SHARES, u), len(_SHARES) - 1)
    (left, high), (right, low) = measured.PEAK_CCU[place - 1], measured.PEAK_CCU[place]
    part = log(u / left) / log(right / left)
    return exp(log(high) + (log(low) - log(high)) * part)


def aged(active: float, size: float, age_days: float) -> float:
    """The peak CCU of an island's day at its age.

    Args:
        active: a number in [0, 1): whether anybody plays, against the shares that were measured.
        size: a number in [0, 1): its place among those that are played; 0 is the largest.
        age_days: days since its release; fresh islands are tried by more people.
    """
    young = 0 <= age_days < len(measured.YOUNG_MEDIAN_PEAK)
    if active >= (measured.YOUNG_ACTIVE_SHARE if young else measured.ACTIVE_SHARE):
        return 0.0
    if not young:
        return peak(size)
    return peak(size) * measured.YOUNG_MEDIAN_PEAK[int(age_days)] / measured.MEDIAN_PEAK


def ccu(highest: float, salt: int, at: float) -> int:
    """Players at an instant.

    Args:
        highest: peak CCU of the day; 0 for an island nobody plays (a stray visitor apart).
        salt: what tells this island's noise from another's.
        at: unix seconds; the value holds for the whole minute.
    """
    minute = int(at) // 60
    bits = mix(salt, minute)
    low, high = (bits & 0xFFFFFFFF) / _U32, (bits >> 32) / _U32
    if highest <= 0:
        return 1 if low < _STRAY else 0
    expected = highest * SHAPES[salt & 3][minute % _MINUTES] * (1 - _NOISE * high)
    return int(expected + low)
