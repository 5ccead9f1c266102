"""Runs over the Data API as it is, and as it should not be: what it tells is what is stored, and nothing is lost."""

import asyncio
import csv
import gzip
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from etl.engine import http
from etl.engine.database import Database
from etl.engine.errors import Refused
from etl.fortnite.metrics import MetricNumbers, read_due
from etl.settings import Settings
from etl.simulator.process import Running, start
from tests.data import DATA, recorded
from tests.fortnite.clocked import open_clocked, set_clock
from tests.fortnite.conftest import NOW, UNLIMITED, simulated
from tests.fortnite.metric_rows import COLUMNS, NAMES, at, listed, rows, state
from tests.fortnite.test_metrics_api import told
from tests.fortnite.upstream import Fake
from tests.wire import answer

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


async def stored(db: Database, code: str, minutes: int = 1440) -> dict[datetime, tuple[Any, ...]]:
    """Metrics of an island by start of the bucket."""
    return {
        row["ts"]: tuple(row[name] for name in COLUMNS) for row in await rows(db, code, minutes)
    }


async def truth(
    sim: Running, code: str, interval: str = "day", hours: int = 168
) -> dict[datetime, tuple[Any, ...]]:
    """What the Data API tells of an island, asked and read independently; withheld buckets left out."""
    now = datetime.fromisoformat((await sim.state())["now"])
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        path = f"/ecosystem/v1/islands/{code}/metrics/{interval}"
        params = {"from": (now - timedelta(hours=hours)).isoformat()}
        said = told((await client.get(path, params=params)).json())
    found = {ts: tuple(said.get((ts, name)) for name in COLUMNS) for ts in {ts for ts, _ in said}}
    return {ts: values for ts, values in found.items() if any(v is not None for v in values)}


async def some(sim: Running, count: int) -> list[str]:
    """Islands of which at least every other one is played."""
    codes = await sim.codes(limit=400)
    played = [code for code in codes if (await sim.truth(code))["peak"] > 0]
    return sorted({*played[:count], *codes[: count // 2]})[:count]


async def test_what_the_api_tells_is_what_is_stored(
    here: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await some(sim, 40)
    await listed(here, *codes)
    numbers = await read_due(here, sim_options, limit=1000)
    assert (numbers.read, numbers.failed, numbers.rejected, numbers.waits_s) == (40, 0, 0, 0)
    played = 0
    for code in codes:
        wanted = await truth(sim, code)
        assert await stored(here, code) == wanted, code
        played += bool(wanted)
        partial = [row["partial"] for row in await rows(here, code)]
        assert not any(partial[:-1])
        row = await state(here, code)
        assert row["class"] == (3 if not wanted else 1 if row["peak_ccu"] > 60 else row["class"])
        assert f"{row['read_through']}" == "2026-10-31"
    assert 10 < played < 40
    assert numbers.inserted == sum([len(await rows(here, code)) for code in codes])
    # nobody's turn comes within the minute, and nothing is asked
    before = (await sim.state())["served"]["metrics"]
    assert (await read_due(here, sim_options, limit=1000)).read == 0
    assert (await sim.state())["served"]["metrics"] == before


async def test_hours_and_ten_minutes_are_read_where_a_setting_asks(
    here: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await sim.codes(limit=400)
    peaks = {code: (await sim.truth(code))["peak"] for code in codes}
    busy, calm = max(codes, key=peaks.__getitem__), min(codes, key=peaks.__getitem__)
    await listed(here, busy, calm)
    chosen: dict[str, Any] = {
        "fortnite_metrics_intervals": ["day", "hour", "minute"],
        "fortnite_metrics_fine": int(peaks[busy] / 2),
    }
    options = sim_options.model_copy(update=chosen)
    await read_due(here, options, limit=10)
    for interval, minutes in (("hour", 60), ("minute", 10)):
        found = await stored(here, busy, minutes)
        wanted = await truth(sim, busy, interval)
        oldest = HERE - timedelta(days=7) + timedelta(hours=1)
        assert {ts: v for ts, v in found.items() if ts > oldest} == {
            ts: v for ts, v in wanted.items() if ts > oldest
        }
        assert len(found) > 100
        assert await rows(here, calm, minutes) == []
    # six hours later only what is new is asked for
    later = HERE + timedelta(hours=6)
    await set_clock(here, later)
    await sim.clock(later.isoformat(), 0)
    numbers = await read_due(here, options, limit=10)
    assert numbers.inserted == 6 + 36
    assert await stored(here, busy, 10) | await truth(sim, busy, "minute", 6) == await stored(
        here, busy, 10
    )


AGAIN = ("empty", "error", "cut", "html", "hang")
PASSING = {"throttle", *AGAIN}


@pytest.mark.parametrize("kind", ["throttle", *AGAIN])
async def test_a_service_that_fails_ends_the_run_and_costs_nothing(
    here: Database, sim_options: Settings, sim: Running, kind: str
) -> None:
    codes = await some(sim, 24)
    await listed(here, *codes)
    await sim.fault("metrics", kind, skip=4)
    quick = sim_options.model_copy(update={"http_timeout": 0.2, "http_retries": 1})
    numbers = await read_due(here, quick, limit=1000)
    assert numbers.read == 4
    assert numbers.failed == (0 if kind == "throttle" else 8 + numbers.failed - 8)
    assert numbers.failed <= 11  # those on their way when it was clear
    found = [await state(here, code) for code in codes]
    assert {row["state"] for row in found} == {"active"}
    assert sum(row["attempts"] for row in found) == numbers.failed
    assert await here.fetch("select from raw.rejected") == []
    await sim.clear_faults()
    await here.execute("update engine.throttle set closed_until = '-infinity'")
    await set_clock(here, HERE + timedelta(minutes=6))
    again = await read_due(here, sim_options, limit=1000)
    assert again.read == 20
    for code in codes:
        assert await stored(here, code) == await truth(sim, code)


@pytest.mark.parametrize("kind", AGAIN)
async def test_one_answer_that_comes_empty_or_broken_is_asked_for_again(
    here: Database, sim_options: Settings, sim: Running, kind: str
) -> None:
    codes = await some(sim, 12)
    await listed(here, *codes)
    await sim.fault("metrics", kind, times=1, skip=3)
    quick = sim_options.model_copy(update={"http_timeout": 0.5, "http_retries": 1})
    assert (await read_due(here, quick, limit=1000)).read == 12
    for code in codes:
        assert await stored(here, code) == await truth(sim, code)


BAD = ("wrong", "types", "shape", "nan", "nul", "surrogate", "huge")


@pytest.mark.parametrize("kind", [*BAD, "vanish"])
async def test_an_answer_of_a_wrong_shape_is_set_aside_and_costs_the_others_nothing(
    here: Database, sim_options: Settings, sim: Running, kind: str
) -> None:
    codes = await some(sim, 8)
    await listed(here, *codes)
    if kind == "wrong":
        await sim.fault("metrics", kind, times=1)
    else:
        await sim.fault("metrics", kind, codes=[codes[2]], bytes=3000)
    numbers = await read_due(here, sim_options, limit=1000)
    assert (numbers.read, numbers.failed) == (7, 1)
    (failed,) = await here.fetch(
        "select key, last_error from engine.crawl where resource = 'fortnite.metrics' "
        "and last_error is not null"
    )
    aside = await here.fetch("select key, body, reason from raw.rejected")
    if kind == "vanish":  # an object without anything in it: empty, nothing to keep
        assert aside == []
    else:
        assert [row["key"] for row in aside] == [failed["key"]]
        assert len(aside[0]["body"]) > 10
        assert failed["last_error"] in aside[0]["reason"]
    await sim.clear_faults()
    await set_clock(here, HERE + timedelta(minutes=6))
    assert (await read_due(here, sim_options, limit=1000)).read == 1
    for code in codes:
        assert await stored(here, code) == await truth(sim, code)


async def test_an_island_that_is_not_public_any_more_is_gone_until_it_is_back(
    here: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await some(sim, 4)
    await listed(here, *codes)
    await sim.vanish(codes[0])
    numbers = await read_due(here, sim_options, limit=1000)
    assert (numbers.read, numbers.gone, numbers.failed) == (3, 1, 0)
    assert (await state(here, codes[0]))["state"] == "gone"
    await sim.restore(codes[0])
    later = HERE + timedelta(days=3)
    await set_clock(here, later)
    await sim.clock(later.isoformat(), 0)
    await read_due(here, sim_options, limit=1000)
    assert (await state(here, codes[0]))["state"] == "active"
    assert await stored(here, codes[0]) == await truth(sim, codes[0])


async def test_the_rate_that_upstream_holds_is_kept(
    here: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await some(sim, 12)
    await listed(here, *codes)
    await sim.limits(data=20)
    before = (await sim.state())["refused"].get("metrics", 0)
    options = sim_options.model_copy(update={"fortnite_data_per_second": 20.0})
    numbers = await read_due(here, options, limit=1000)
    assert (numbers.read, numbers.failed) == (12, 0)
    assert (await sim.state())["refused"].get("metrics", 0) == before


async def test_a_run_that_is_cancelled_gives_back_what_it_holds(
    here: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await some(sim, 12)
    await listed(here, *codes)
    await sim.fault("metrics", "slow", seconds=0.5)
    task = asyncio.create_task(read_due(here, sim_options, limit=1000))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await sim.clear_faults()
    found = [await state(here, code) for code in codes]
    assert {(row["attempts"], row["last_error"]) for row in found} == {(0, None)}
    assert (await read_due(here, sim_options, limit=1000)).read == 12


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_of_us_is_told_and_blames_no_island(
    here: Database, options: Settings, upstream: Fake, status: int
) -> None:
    await listed(here, "a", "b")
    upstream.wrong = lambda _: answer(status, b'{"errorCode": "errors.no"}')
    with pytest.raises(Refused):
        await read_due(here, options, limit=10)
    assert (await state(here, "a"))["attempts"] == 0
    upstream.wrong = lambda _: answer(400, b'{"errorCode": "errors.bad"}')
    assert (await read_due(here, options, limit=10)).failed == 2
    assert "400" in (await state(here, "a"))["last_error"]


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("island-0925-4822-4538-metrics-day.json", "2026-09-22 18:00"),
        ("island-metrics-day-large-with-partial-today.json", "2026-09-07 12:00"),
        ("island-metrics-day-filtered-with-null.json", "2026-05-18 12:00"),
    ],
)
async def test_a_recorded_answer_is_stored_field_by_field(
    here: Database, options: Settings, upstream: Fake, name: str, now: str
) -> None:
    raw = recorded(f"data-api/{name}").read_bytes()
    upstream.wrong = lambda _: answer(body=raw)
    await listed(here, "0925-4822-4538", on=now[:10])
    await set_clock(here, at(now))
    await read_due(here, options, limit=10)
    (path,) = upstream.paths("metrics")
    since = at(now) - timedelta(days=7) + timedelta(minutes=1)
    assert path.startswith("/islands/0925-4822-4538/metrics?from=")
    assert path.split("=")[1].replace("%3A", ":")[:16] == f"{since:%Y-%m-%dT%H:%M}"
    said = told(json.loads(raw))
    wanted = {ts: tuple(said.get((ts, name)) for name in COLUMNS) for ts in {ts for ts, _ in said}}
    wanted = {ts: values for ts, values in wanted.items() if any(v is not None for v in values)}
    assert await stored(here, "0925-4822-4538") == wanted
    partial = [row["partial"] for row in await rows(here, "0925-4822-4538")]
    assert partial == ([True] if "filtered" in name else [False, True])


async def test_recorded_days_come_through_the_simulator_field_by_field(
    here: Database, settings: Settings
) -> None:
    archive = "0925-4822-4538"
    with recorded(f"data-api/archive-{archive}.csv").open(newline="") as lines:
        wanted = {
            (archive, at(row["timestamp"][:10])): tuple(
                json.loads(row[name]) if row[name] else None for name in COLUMNS
            )
            for row in csv.DictReader(lines)
        }
    assert sum(value is None for values in wanted.values() for value in values) == 3
    codes = [archive, *_in_the_list()[::60]]
    with gzip.open(recorded("data-api/island-daily-metrics-2026-07.jsonl.gz")) as lines:
        for row in map(json.loads, lines):
            if row["code"] in codes:
                values = tuple(row[name] for name in NAMES)
                wanted[row["code"], at(row["date"])] = values
    assert len(wanted) > 200
    async with start(replay=DATA, seed=1, now=NOW, speed=0, limit=UNLIMITED) as replay:
        options = simulated(settings, replay)
        await listed(here, *codes, on="2026-07-03")
        for day in ("2026-07-10", "2026-07-17", "2026-07-24", "2026-09-26", "2026-10-03"):
            await _at(here, replay, f"{day} 12:00")
            await here.execute("update engine.crawl set due_at = now()")
            assert (await read_due(here, options, limit=1000)).failed == 0
        await _at(here, replay, "2026-10-06 12:00")
        await here.execute("update engine.crawl set due_at = now()")
        await read_due(here, options, limit=1000)
    found = {(code, ts): v for code in codes for ts, v in (await stored(here, code)).items()}
    assert {key: found.get(key) for key in wanted} == wanted


def _in_the_list() -> list[str]:
    """Islands of the recorded list that have a recorded day."""
    with gzip.open(recorded("data-api/island-catalogue-2026-07-06.jsonl.gz")) as lines:
        known = {json.loads(line)["code"] for line in lines}
    with gzip.open(recorded("data-api/island-daily-metrics-2026-07.jsonl.gz")) as lines:
        return sorted(known & {json.loads(line)["code"] for line in lines})


async def _at(db: Database, sim: Running, now: str) -> None:
    await set_clock(db, at(now))
    await sim.clock(f"{at(now).isoformat()}", 0)


async def test_what_a_run_did_can_be_kept_as_numbers() -> None:
    assert set(MetricNumbers.__dataclass_fields__) >= {"read", "failed", "lost", "waits_s"}
