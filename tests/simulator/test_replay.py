"""A recorded world answers with what was recorded, verbatim."""

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import pytest_asyncio

from etl.simulator.process import SimulatorFailed, start
from tests.data import DATA, recorded
from tests.simulator.conftest import UNLIMITED, Client, open_client

pytestmark = pytest.mark.asyncio(loop_scope="session")
CATALOGUE = "data-api/island-catalogue-2026-07-06.jsonl.gz"
DAILY = "data-api/island-daily-metrics-2026-07.jsonl.gz"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def replay() -> AsyncIterator[Client]:
    now = "2026-07-06T18:00:00Z"
    async with (
        start(replay=DATA, seed=1, now=now, speed=0, limit=UNLIMITED) as running,
        open_client(running) as client,
    ):
        yield client


def lines(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(recorded(name), "rb") as file:
        for line in file:
            yield json.loads(line)


async def test_all_30104_islands_are_listed_as_recorded(replay: Client) -> None:
    fields = ("code", "title", "creatorCode", "tags")
    wanted = [tuple(island[f] for f in fields) for island in lines(CATALOGUE)]
    listed, path = [], "/ecosystem/v1/islands?size=1000"
    while path:
        page = (await replay.get(path)).json()
        listed += [tuple(island[f] for f in fields) for island in page["data"]]
        path = page["links"]["next"]
    assert len(listed) == 30_104
    assert listed == wanted


async def test_links_are_built_around_the_recorded_islands(replay: Client) -> None:
    islands = [island for island, _ in zip(lines(CATALOGUE), range(100), strict=False)]
    links = (await replay.links(*[island["code"] for island in islands])).json()
    for body, island in zip(links, islands, strict=True):
        assert body["mnemonic"] == island["code"]
        assert body["metadata"]["title"] == island["title"]
        assert body["metadata"]["supportCode"] == island["creatorCode"]
        assert body["descriptionTags"] == island["tags"]


async def test_recorded_bodies_are_answered_as_they_were(replay: Client) -> None:
    bulk = json.loads(recorded("links/mnemonic-bulk.json").read_text())
    assert (await replay.links(*[body["mnemonic"] for body in bulk])).json() == bulk
    one = json.loads(recorded("links/mnemonic-8530-0110-2817-with-history.json").read_text())
    path = "/links/api/fn/mnemonic/8530-0110-2817"
    assert (await replay.get(path, includeActivationHistory="true")).json() == one
    del one["activationHistory"]
    assert (await replay.get(path)).json() == one
    island = json.loads(recorded("data-api/island-battle-royale.json").read_text())
    assert (await replay.get("/ecosystem/v1/islands/battle-royale")).json() == island


async def test_daily_metrics_are_the_recorded_rows(replay: Client) -> None:
    known = {island["code"] for island in lines(CATALOGUE)}
    row = next(r for r in lines(DAILY) if r["date"] == "2026-07-05" and r["code"] in known)
    path = f"/ecosystem/v1/islands/{row['code']}/metrics"
    metrics = (await replay.get(path)).json()
    for name in ("peakCCU", "plays", "uniquePlayers", "minutesPlayed", "favorites"):
        assert metrics[name][0] == {"value": row[name], "timestamp": "2026-07-05T00:00:00.000Z"}
    assert metrics["retention"][0]["d1"] == row["retentionD1"]


async def test_daily_peak_is_about_the_recorded_one(replay: Client) -> None:
    peaks: dict[str, list[int]] = {}
    for row in lines(DAILY):
        peaks.setdefault(row["code"], []).append(row["peakCCU"])
    listed = [island["code"] for island in lines(CATALOGUE)]
    busy = sorted(
        (code for code in listed if code in peaks), key=lambda code: -median(peaks[code])
    )[:20]
    highest = dict.fromkeys(busy, 0)
    for hour in range(16, 22):
        for minute in (0, 20, 40):
            await replay.sim.clock(now=f"2026-11-03T{hour:02d}:{minute:02d}:00Z")
            for code, entry in (await replay.entries(*busy)).json().items():
                highest[code] = max(highest[code], entry["globalCCU"] or 0)
    for code in busy:
        assert highest[code] == pytest.approx(median(peaks[code]), rel=0.06)
    await replay.sim.clock(now="2026-07-06T18:00:00Z")


async def test_island_without_metrics_is_not_played(replay: Client) -> None:
    played = {row["code"] for row in lines(DAILY)}
    quiet = [island["code"] for island in lines(CATALOGUE) if island["code"] not in played][:100]
    counts = [entry["globalCCU"] for entry in (await replay.entries(*quiet)).json().values()]
    assert len(counts) == 100
    assert sum(count or 0 for count in counts) <= 3


async def test_nothing_is_released_and_nothing_is_hidden(replay: Client) -> None:
    await replay.sim.clock(now="2026-08-06T18:00:00Z")
    assert (await replay.sim.state())["listed"] == 30_104
    assert await replay.sim.codes("hidden") == []
    await replay.sim.clock(now="2026-07-06T18:00:00Z")


async def test_folder_without_recorded_data_is_named() -> None:
    with pytest.raises(SimulatorFailed, match="/nowhere/data-api"):
        async with start(replay="/nowhere"):
            pytest.fail("it started")


@pytest.mark.parametrize("content", [b"[]", gzip.compress(b"{}")[:-9]], ids=["no gzip", "cut"])
async def test_a_damaged_catalogue_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data-api").mkdir()
    (tmp_path / CATALOGUE).write_bytes(content)
    with pytest.raises(SimulatorFailed, match=f"{tmp_path}/data-api"):
        async with start(replay=tmp_path):
            pytest.fail("it started")


async def test_islands_added_to_a_recorded_world_are_played_like_any_fresh_ones() -> None:
    async with start(replay=DATA, seed=1, limit=UNLIMITED, hidden=0.01) as running:
        codes = await running.add(40)
        assert (await running.state())["listed"] == 30_144
        played = [code for code in codes if (await running.truth(code))["peak"] > 0]
        assert 15 < len(played) < 38
        hidden = await running.codes("hidden", 1000)
        assert 200 < len(hidden) < 400
