"""Roll-ups of what comes in order, and of what comes late: equal to a direct aggregate on every ground."""

from datetime import timedelta

from etl.engine import timeseries
from etl.engine.timeseries import Refreshed
from tests.timescale.conftest import Ground
from tests.timescale.model import at, check, daily, hourly, put, raw, series, stored

DAY = timedelta(days=1)


async def test_the_ground_is_what_it_says(ground: Ground) -> None:
    expected = "plain" if ground.name == "plain" else "timescale"
    assert await timeseries.foundation(ground.db) == expected


async def test_nothing_gives_nothing(ground: Ground) -> None:
    assert await timeseries.refresh(ground.db) == Refreshed(0, 0)
    assert await hourly(ground.db) == {}
    assert await daily(ground.db) == {}


async def test_a_sample_of_an_open_hour_shows_at_once(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 10:20"), [4, 9, 2]))
    await check(ground.db)
    assert await timeseries.refresh(ground.db) == Refreshed(0, 0)
    assert await stored(ground.db) == (0, 0)
    await put(ground.db, series(at("2026-11-20 10:50"), [30]))
    await check(ground.db)


async def test_hours_and_days_that_are_over_are_stored_once(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 22:00"), range(20)))
    assert await timeseries.refresh(ground.db) == Refreshed(3, 1)
    assert await stored(ground.db) == (3, 1)
    await check(ground.db)
    assert await timeseries.refresh(ground.db) == Refreshed(0, 0)


async def test_until_closes_hours_nothing_came_after(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 22:00"), range(6)))
    assert await timeseries.refresh(ground.db, until=at("2026-11-20 23:30")) == Refreshed(1, 0)
    assert await timeseries.refresh(ground.db, until=at("2026-11-21 00:00")) == Refreshed(0, 1)
    await check(ground.db)
    await put(ground.db, series(at("2026-11-20 23:00"), [7]))
    assert await timeseries.refresh(ground.db) == Refreshed(1, 1)
    await check(ground.db)


async def test_the_first_of_equal_peaks_counts(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 10:00"), [1, 8, 3, 8, 8, 0]))
    await put(ground.db, series(at("2026-11-20 11:00"), [8, 8]))
    await put(ground.db, series(at("2026-11-20 10:00"), [0] * 7, island=2))
    for _ in range(2):
        assert (await hourly(ground.db))[at("2026-11-20 10:00"), 1].peak_at == at(
            "2026-11-20 10:10"
        )
        assert (await daily(ground.db))[at("2026-11-20 00:00"), 1].peak_at == at("2026-11-20 10:10")
        assert (await daily(ground.db))[at("2026-11-20 00:00"), 2].peak_at == at("2026-11-20 10:00")
        await check(ground.db)
        await timeseries.refresh(ground.db, until=at("2026-11-21 00:00"))


async def test_the_largest_and_the_smallest_values_survive_packing(ground: Ground) -> None:
    await put(
        ground.db, {(at("2026-11-20 10:00"), 1): 2**31 - 1, (at("2026-11-20 10:00"), 2**31 - 1): 0}
    )
    await put(ground.db, {(at("2105-11-20 10:00"), 1): 2**31 - 1, (at("1970-01-01 00:00"), 1): 5})
    await check(ground.db)
    await timeseries.refresh(ground.db)
    await check(ground.db)


async def test_hours_days_and_months_part_at_their_edges(ground: Ground) -> None:
    for edge in ("2026-11-20 11:00", "2026-11-21 00:00", "2026-12-01 00:00", "2027-01-01 00:00"):
        await put(ground.db, series(at(edge) - timedelta(minutes=20), [3, 5, 7, 11]))
    await check(ground.db)
    await timeseries.refresh(ground.db)
    await check(ground.db)


async def test_gaps_stay_gaps(ground: Ground) -> None:
    await put(ground.db, series(at("2026-01-05 03:00"), [1, 2]))
    await put(ground.db, series(at("2026-03-05 04:00"), [3]))
    await put(ground.db, series(at("2026-03-05 23:00"), [4, 5, 6, 7, 8, 9, 10]))
    assert await timeseries.refresh(ground.db) == Refreshed(3, 2)
    await check(ground.db)
    await put(ground.db, series(at("2026-02-01 00:00"), [12]))
    assert await timeseries.refresh(ground.db) == Refreshed(1, 1)
    await check(ground.db)


async def test_a_cycle_said_again_replaces_itself(ground: Ground) -> None:
    first = series(at("2026-11-20 10:00"), range(12))
    await put(ground.db, first)
    await timeseries.refresh(ground.db)
    await put(ground.db, dict.fromkeys(first, 77))
    await timeseries.refresh(ground.db)
    await check(ground.db, dict.fromkeys(first, 77))


async def test_late_rows_show_with_the_next_refresh_and_not_before(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 10:00"), range(150)))
    await timeseries.refresh(ground.db)
    before = await raw(ground.db)
    await put(ground.db, series(at("2026-11-20 10:00"), [1000], island=2))
    await check(ground.db, before)
    assert await timeseries.refresh(ground.db) == Refreshed(1, 1)
    await check(ground.db)


async def test_late_rows_of_any_age_correct_their_hours_and_days_alone(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 10:00"), range(3)))
    await timeseries.refresh(ground.db)
    for age in (timedelta(hours=2), DAY, 31 * DAY, 89 * DAY, 400 * DAY):
        await put(ground.db, series(at("2026-11-20 10:00") - age, [5, 6, 7], island=3))
        assert await timeseries.refresh(ground.db) == Refreshed(1, int(age >= DAY))
        await check(ground.db)


async def test_deleted_rows_leave_no_trace(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 00:00"), range(300)))
    await put(ground.db, series(at("2026-11-20 00:00"), range(300), island=2))
    await timeseries.refresh(ground.db)
    for condition in (
        "island_id = 1 and ts = '2026-11-20 10:10+00'",
        "ts >= '2026-11-20 11:00+00' and ts < '2026-11-20 12:00+00'",
        "island_id = 2 and ts < '2026-11-21 00:00+00'",
    ):
        await ground.db.execute("delete from fortnite.ccu where " + condition)
        await timeseries.refresh(ground.db)
        await check(ground.db)


async def test_a_row_that_moves_corrects_where_it_was_and_where_it_went(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 10:00"), range(300)))
    await timeseries.refresh(ground.db)
    await ground.db.execute(
        "update fortnite.ccu set island_id = 9 where ts = '2026-11-20 10:20+00'"
    )
    assert await timeseries.refresh(ground.db) == Refreshed(1, 1)
    await check(ground.db)


async def test_a_backfill_of_ninety_days(ground: Ground) -> None:
    await put(ground.db, series(at("2026-11-20 10:00"), range(3)))
    await timeseries.refresh(ground.db)
    start = at("2026-08-22 00:00")
    samples = {(start + timedelta(hours=61 * n), 1 + n % 5): n for n in range(90 * 24 // 61)}
    await put(ground.db, samples)
    await timeseries.refresh(ground.db)
    await check(ground.db)
