"""Play counts have the measured levels and the measured shape of a day."""

from itertools import pairwise

import pytest

from etl.simulator import levels, measured
from etl.simulator.change import Reading, reading
from etl.simulator.madeup import MadeUp

NOON = 1_793_534_400.0  # 2026-11-01T12:00:00Z
WORLD = MadeUp(5, 40_000, NOON, None, 0.01)
KEYS = range(WORLD.low, WORLD.high(NOON) + 1)


def test_a_fifth_of_the_islands_is_played() -> None:
    active = sum(WORLD.peak(key, NOON) > 0 for key in KEYS) / len(KEYS)
    assert active == pytest.approx(measured.ACTIVE_SHARE, abs=0.015)


def test_peaks_follow_the_measured_quantiles() -> None:
    peaks = sorted((WORLD.peak(key, NOON) for key in KEYS if WORLD.peak(key, NOON)), reverse=True)
    for share, peak in measured.PEAK_CCU[2:7]:
        assert peaks[int(share * len(peaks))] == pytest.approx(peak, rel=0.35)


def test_fresh_islands_are_tried_more_often() -> None:
    fresh = [key for key in KEYS if NOON - WORLD.born(key) < 3 * 86_400]
    active = sum(WORLD.peak(key, NOON) > 0 for key in fresh) / len(fresh)
    assert active == pytest.approx(measured.YOUNG_ACTIVE_SHARE, abs=0.1)


def test_the_day_has_the_measured_shape() -> None:
    busy = [key for key in KEYS if WORLD.peak(key, NOON) > 50]
    midnight = NOON - NOON % 86_400 - 86_400
    hours = [sum(WORLD.ccu(key, midnight + 3600 * h) for key in busy) for h in range(24)]
    mean = sum(hours) / 24
    for hour, expected in enumerate(measured.HOUR_OF_DAY):
        assert hours[hour] / mean == pytest.approx(expected, abs=0.15)


def test_the_highest_count_of_a_day_is_the_peak() -> None:
    key = max(KEYS, key=lambda key: WORLD.peak(key, NOON))
    peak = WORLD.peak(key, NOON)
    day = [WORLD.ccu(key, NOON + 600 * n) for n in range(144)]
    assert 0.95 * peak <= max(day) <= peak + 1
    assert min(day) < 0.6 * peak


def test_a_minute_moves_a_count_as_little_as_measured() -> None:
    key = max(KEYS, key=lambda key: WORLD.peak(key, NOON))
    day = [WORLD.ccu(key, NOON + 60 * n) for n in range(1440)]
    moves = sorted(abs(b / a - 1) for a, b in pairwise(day))
    assert moves[720] == pytest.approx(0.0233, abs=0.015)
    assert moves[1296] < 0.11


def test_an_island_nobody_plays_has_a_visitor_now_and_then() -> None:
    counts = [levels.ccu(0.0, 77, NOON + 60 * n) for n in range(20_000)]
    assert set(counts) == {0, 1}
    assert sum(counts) < 100


def test_creators_have_the_measured_spread() -> None:
    owned: dict[int, int] = {}
    for key in KEYS:
        owned[WORLD.owner(key)] = owned.get(WORLD.owner(key), 0) + 1
    single = sum(count == 1 for count in owned.values()) / len(owned)
    assert single == pytest.approx(measured.ONE_ISLAND_CREATORS_SHARE, abs=0.05)
    assert 50 < max(owned.values()) <= measured.MOST_ISLANDS_OF_A_CREATOR


def test_played_islands_change_at_the_measured_rates() -> None:
    week = 7 * 86_400.0
    old = [key for key in KEYS if NOON - WORLD.born(key) > 30 * 86_400 and WORLD.peak(key, NOON)]
    before, after = ([read(key, NOON + days) for key in old] for days in (0.0, week))
    pairs = list(zip(before, after, strict=True))
    titles = sum(a.title != b.title for b, a in pairs) / len(old) / 7
    tags = sum(a.tags != b.tags for b, a in pairs) / len(old) / 7
    assert titles == pytest.approx(measured.TITLE_CHANGES_PER_DAY, rel=0.15)
    assert tags == pytest.approx(measured.TAG_CHANGES_PER_DAY, rel=0.2)
    versions = sorted(a.version - b.version for b, a in pairs)
    assert versions[len(versions) // 2] == 1
    assert all(a.activated > b.activated for b, a in pairs if a.version > b.version)


def test_islands_nobody_plays_hardly_change() -> None:
    idle = [
        key for key in KEYS if NOON - WORLD.born(key) > 30 * 86_400 and not WORLD.peak(key, NOON)
    ]
    changed = sum(read(key, NOON) != read(key, NOON + 86_400) for key in idle[:5000])
    assert 0 < changed / 5000 < 0.02


def read(key: int, at: float) -> Reading:
    return reading(WORLD, WORLD.facts(key), at)
