"""What was recorded of the Data API, and what refuses us: stored field by field, empty cells included."""

import csv
import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from etl.engine.database import Database
from etl.engine.errors import Refused
from etl.fortnite.metrics import IN_A_ROW, LANES, read_due
from etl.settings import Settings
from etl.simulator.process import Running, start
from tests.data import DATA, recorded
from tests.fortnite.clocked import open_clocked, set_clock
from tests.fortnite.conftest import NOW, UNLIMITED, simulated
from tests.fortnite.metric_rows import COLUMNS, NAMES, at, listed, rows, state, stored
from tests.fortnite.test_metrics_api import told
from tests.fortnite.upstream import Fake
from tests.wire import answer


@pytest.fixture
async def here(database_url: str) -> AsyncIterator[Database]:
    """The test's database, its clock set by hand."""
    async with open_clocked(database_url, at("2026-05-01 00:00")) as db:
        yield db


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


async def test_an_island_is_gone_only_where_the_service_itself_says_so(
    here: Database, options: Settings, upstream: Fake
) -> None:
    await listed(here, *"abcdefghijklmno")
    # what the service's front door says of a path that is none, as with a wrong ETL_FORTNITE_DATA_URL
    upstream.wrong = lambda _: answer(404, b"THESE ARE NOT THE LLAMAS YOU'RE LOOKING FOR")
    numbers = await read_due(here, options, limit=100)
    assert (numbers.gone, numbers.read) == (0, 0)
    assert IN_A_ROW <= numbers.failed < IN_A_ROW + LANES
    assert "404" in (await state(here, "a"))["last_error"]
    raw = recorded("data-api/island-not-found-404.json").read_bytes()
    upstream.wrong = lambda _: answer(404, raw)
    await here.execute("update engine.crawl set due_at = now()")
    assert (await read_due(here, options, limit=100)).gone == 15
    assert (await state(here, "a"))["state"] == "gone"


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
    since = at(now[:10]) - timedelta(days=6)
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
    codes = [archive, *_in_the_list()[::150]]
    with gzip.open(recorded("data-api/island-daily-metrics-2026-07.jsonl.gz")) as lines:
        for row in map(json.loads, lines):
            if row["code"] in codes:
                values = tuple(row[name] for name in NAMES)
                wanted[row["code"], at(row["date"])] = values
    assert len(wanted) > 80
    async with start(replay=DATA, seed=1, now=NOW, speed=0, limit=UNLIMITED) as replay:
        options = simulated(settings, replay)
        await listed(here, *codes, on="2026-07-03")
        days = "2026-07-09 2026-07-15 2026-07-21 2026-07-24 2026-09-25 2026-10-01"
        for day in days.split():
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
