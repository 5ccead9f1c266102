"""Runs over the Data API as it is, and as it should not be: what it tells is what is stored, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from etl.engine import http
from etl.engine.database import Database
from etl.fortnite.metrics import IN_A_ROW, LANES, read_due
from etl.settings import Settings
from etl.simulator.process import Running
from tests.fortnite.clocked import open_clocked, set_clock
from tests.fortnite.conftest import NOW
from tests.fortnite.metric_rows import COLUMNS, at, listed, rows, state, stored
from tests.fortnite.test_metrics_api import told

pytestmark = pytest.mark.asyncio(loop_scope="session")
HERE = at(NOW.removesuffix("Z"))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


@pytest_asyncio.fixture(loop_scope="session")
async def here(database_url: str) -> AsyncIterator[Database]:
    """The test's database at the instant of the simulated world."""
    async with open_clocked(database_url, HERE) as db:
        yield db


async def truths(
    sim: Running, codes: list[str], interval: str = "day", hours: int = 168
) -> dict[str, dict[datetime, tuple[Any, ...]]]:
    """What the Data API tells of islands, asked and read independently; withheld buckets left out."""
    now = datetime.fromisoformat((await sim.state())["now"])
    params = {"from": (now - timedelta(hours=hours)).isoformat()}
    found: dict[str, dict[datetime, tuple[Any, ...]]] = {}
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        for code in codes:
            path = f"/ecosystem/v1/islands/{code}/metrics/{interval}"
            said = told((await client.get(path, params=params)).json())
            buckets = {
                ts: tuple(said.get((ts, name)) for name in COLUMNS) for ts in {ts for ts, _ in said}
            }
            found[code] = {
                ts: values
                for ts, values in buckets.items()
                if any(value is not None for value in values)
            }
    return found


async def all_stored(db: Database, codes: list[str]) -> dict[str, dict[datetime, tuple[Any, ...]]]:
    """Days of islands by code."""
    return {code: await stored(db, code) for code in codes}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def peaks(world: Running) -> dict[str, float]:
    """The newest islands, with the peak CCU of their day."""
    return {code: (await world.truth(code))["peak"] for code in await world.codes(limit=150)}


@pytest.fixture
def some(peaks: dict[str, float]) -> list[str]:
    """Twenty islands, half of them played."""
    return [
        *[code for code, peak in peaks.items() if peak > 10][:10],
        *[code for code, peak in peaks.items() if peak == 0][:10],
    ]


async def go_to(db: Database, sim: Running, instant: datetime) -> None:
    """Set the clocks of the database and of the world."""
    await set_clock(db, instant)
    await sim.clock(instant.isoformat(), 0)


async def test_what_the_api_tells_is_what_is_stored(
    here: Database, sim_options: Settings, sim: Running, some: list[str]
) -> None:
    await listed(here, *some)
    numbers = await read_due(here, sim_options, limit=1000)
    assert (numbers.read, numbers.failed, numbers.rejected, numbers.waits_s) == (20, 0, 0, 0)
    wanted = await truths(sim, some)
    assert await all_stored(here, some) == wanted
    assert 8 < sum(bool(days) for days in wanted.values()) < 15
    for code in some:
        partial = [row["partial"] for row in await rows(here, code)]
        assert not any(partial[:-1])
        row = await state(here, code)
        assert (row["class"] == 3) == (not wanted[code])
        assert f"{row['read_through']}" == "2026-10-31"
    assert numbers.inserted == sum(len(days) for days in wanted.values())
    # nobody's turn comes within the minute, and nothing is asked
    before = (await sim.state())["served"]["metrics"]
    assert (await read_due(here, sim_options, limit=1000)).read == 0
    assert (await sim.state())["served"]["metrics"] == before


async def test_hours_and_ten_minutes_are_read_where_a_setting_asks(
    here: Database, sim_options: Settings, sim: Running, peaks: dict[str, float]
) -> None:
    busy, calm = max(peaks, key=peaks.__getitem__), min(peaks, key=peaks.__getitem__)
    await listed(here, busy, calm)
    chosen: dict[str, Any] = {
        "fortnite_metrics_intervals": ["day", "hour", "minute"],
        "fortnite_metrics_fine": int(peaks[busy] / 2),
    }
    options = sim_options.model_copy(update=chosen)
    await read_due(here, options, limit=10)
    oldest = HERE - timedelta(days=7) + timedelta(hours=1)
    for interval, minutes in (("hour", 60), ("minute", 10)):
        found = await stored(here, busy, minutes)
        wanted = (await truths(sim, [busy], interval))[busy]
        assert {ts: v for ts, v in found.items() if ts > oldest} == {
            ts: v for ts, v in wanted.items() if ts > oldest
        }
        assert len(found) > 100
        assert await rows(here, calm, minutes) == []
    # six and a half hours later only what is new is asked for
    await go_to(here, sim, HERE + timedelta(hours=6, minutes=30))
    before = (await sim.state())["served"]["metrics"]
    numbers = await read_due(here, options, limit=10)
    assert (await sim.state())["served"]["metrics"] - before == 3
    assert 30 < numbers.inserted <= 1 + 7 + 40
    later = (await truths(sim, [busy], "minute", 7))[busy]
    assert (await stored(here, busy, 10)).items() >= later.items()


AGAIN = ("empty", "error", "cut", "html", "hang")


@pytest.mark.parametrize("kind", ["throttle", *AGAIN])
async def test_a_service_that_fails_ends_the_run_and_costs_nothing(
    here: Database, sim_options: Settings, sim: Running, some: list[str], kind: str
) -> None:
    await listed(here, *some)
    await sim.fault("metrics", kind, skip=4)
    quick = sim_options.model_copy(update={"http_timeout": 1.5, "http_retries": 0})
    if kind != "throttle":
        # a good answer that comes late would begin the count of failures in a row again
        assert (await read_due(here, quick, limit=4)).read == 4
    numbers = await read_due(here, quick, limit=1000)
    assert numbers.read == (4 if kind == "throttle" else 0)
    # those in a row, and those that were on their way by then
    assert numbers.failed in ([0] if kind == "throttle" else range(IN_A_ROW, IN_A_ROW + LANES))
    found = [await state(here, code) for code in some]
    assert {row["state"] for row in found} == {"active"}
    assert sum(row["attempts"] for row in found) == numbers.failed
    assert await here.fetch("select from raw.rejected") == []
    await sim.clear_faults()
    await here.execute("update engine.throttle set closed_until = '-infinity'")
    # a closed throttle ends by the server's own clock
    await here.execute("update engine.crawl set due_at = now() where due_at > now() + '10 days'")
    await set_clock(here, HERE + timedelta(minutes=6))
    assert (await read_due(here, sim_options, limit=1000)).read == 16
    assert await all_stored(here, some) == await truths(sim, some)


async def test_an_answer_that_comes_empty_or_broken_is_asked_for_again_at_once(
    here: Database, sim_options: Settings, sim: Running, some: list[str]
) -> None:
    await listed(here, *some)
    for skip, kind in enumerate(AGAIN):
        await sim.fault("metrics", kind, times=1, skip=3 * skip)
    quick = sim_options.model_copy(update={"http_timeout": 0.5, "http_retries": 2})
    assert (await read_due(here, quick, limit=1000)).read == 20
    assert (await sim.state())["struck"]["metrics"] >= len(AGAIN)
    assert await all_stored(here, some) == await truths(sim, some)


BAD = ("types", "shape", "nan", "nul", "surrogate", "huge")


async def test_answers_of_a_wrong_shape_are_set_aside_and_cost_the_others_nothing(
    here: Database, sim_options: Settings, sim: Running, some: list[str]
) -> None:
    await listed(here, *some)
    bad = dict(zip(BAD, some[2:], strict=False))
    for kind, code in {**bad, "vanish": some[9]}.items():
        await sim.fault("metrics", kind, codes=[code], bytes=3000)
    numbers = await read_due(here, sim_options, limit=1000)
    assert (numbers.read, numbers.failed, numbers.rejected) == (13, 7, 6)
    aside = await here.fetch("select key, body, reason from raw.rejected")
    # an object without anything in it is empty: nothing to keep
    assert {row["key"] for row in aside} == set(bad.values())
    for row in aside:
        assert len(row["body"]) > 10
        why = (await state(here, row["key"]))["last_error"]
        assert f"day: {why}" == row["reason"]
    assert "without metrics" in (await state(here, some[9]))["last_error"]
    await sim.clear_faults()
    await set_clock(here, HERE + timedelta(minutes=6))
    assert (await read_due(here, sim_options, limit=1000)).read == 7
    assert await all_stored(here, some) == await truths(sim, some)


async def test_an_island_that_is_not_public_any_more_is_gone_until_it_is_back(
    here: Database, sim_options: Settings, sim: Running, some: list[str]
) -> None:
    gone = some[0]
    await listed(here, *some[:4])
    await sim.vanish(gone)
    numbers = await read_due(here, sim_options, limit=1000)
    assert (numbers.read, numbers.gone, numbers.failed) == (3, 1, 0)
    assert (await state(here, gone))["state"] == "gone"
    await sim.restore(gone)
    await go_to(here, sim, HERE + timedelta(days=3))
    await read_due(here, sim_options, limit=1000)
    assert (await state(here, gone))["state"] == "active"
    assert await all_stored(here, [gone]) == await truths(sim, [gone])


async def test_after_a_week_away_days_are_lost_once_and_the_rest_is_caught_up_with(
    here: Database, sim_options: Settings, sim: Running, some: list[str]
) -> None:
    await listed(here, *some, on="2026-10-20")
    lost = []
    for hours in (0, 8, 24, 53):
        await go_to(here, sim, HERE + timedelta(hours=hours))
        await here.execute("update engine.crawl set due_at = now()")
        lost.append((await read_due(here, sim_options, limit=1000)).lost)
        yesterday = (HERE + timedelta(hours=hours - 24)).date()
        assert {(await state(here, code))["read_through"] for code in some} == {yesterday}
    # from the 20th to the 25th: what begins on the 26th is within seven days
    assert lost == [6 * len(some), 0, 0, 0]


async def test_the_rate_that_upstream_holds_is_kept(
    here: Database, sim_options: Settings, sim: Running, some: list[str]
) -> None:
    await listed(here, *some)
    await sim.limits(data=30)
    before = (await sim.state())["refused"].get("metrics", 0)
    options = sim_options.model_copy(update={"fortnite_data_per_second": 30.0})
    numbers = await read_due(here, options, limit=1000)
    assert (numbers.read, numbers.failed) == (20, 0)
    assert (await sim.state())["refused"].get("metrics", 0) == before


async def test_a_run_that_is_cancelled_gives_back_what_it_holds(
    here: Database, sim_options: Settings, sim: Running, some: list[str]
) -> None:
    await listed(here, *some)
    await sim.fault("metrics", "slow", seconds=0.5)
    task = asyncio.create_task(read_due(here, sim_options, limit=1000))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await sim.clear_faults()
    found = [await state(here, code) for code in some]
    assert {(row["attempts"], row["last_error"]) for row in found} == {(0, None)}
    assert (await read_due(here, sim_options, limit=1000)).read == 20
