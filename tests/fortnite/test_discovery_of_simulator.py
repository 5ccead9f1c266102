"""Discovery of whole simulated worlds: what the surfaces show is what is stored."""

import asyncio
import json
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest

from etl.engine import http
from etl.engine.database import Database
from etl.fortnite.account import credentials
from etl.fortnite.discovery import read
from etl.fortnite.panels import Read, read_panels
from etl.fortnite.surfaces import open_surfaces
from etl.settings import SURFACES as ALL_SURFACES
from etl.settings import Settings
from etl.simulator.process import Running, start
from tests.commands import environment, variables
from tests.data import DATA, recorded
from tests.fortnite.conftest import simulated

pytestmark = pytest.mark.asyncio(loop_scope="session")

TS = datetime(2026, 11, 1, 18, tzinfo=UTC)
STEP = timedelta(minutes=10)
SURFACES = tuple(
    f"CreativeDiscoverySurface_{name}" for name in ("Nested_Category_BR", "EpicPage", "Library")
)
FREE: dict[str, float | None] = {"surfaces": None, "entries": None}
RECORDED = {
    "CreativeDiscoverySurface_Frontend": "discovery/surface-frontend-2025-11-23.json",
    "CreativeDiscoverySurface_Browse": "discovery/surface-browse-2025-11-23.json",
}
ROOT = Path(__file__).parents[2]
WORKER = """
import asyncio, sys
from datetime import datetime
from etl.embedded import database_url
from etl.engine.database import open_database
from etl.fortnite.discovery import read
from etl.settings import settings

async def main():
    async with open_database(database_url(settings())) as db:
        await read(db, settings(), datetime.fromisoformat(sys.argv[1]))

asyncio.run(main())
"""
READS: LiteralString = "select count(*) as n from fortnite.surface_read where taken_at = %s"
Shown = dict[tuple[str, str, str], list[str]]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


@asynccontextmanager
async def world(settings: Settings, **given: object) -> AsyncIterator[tuple[Running, Settings]]:
    """A simulator with its clock stopped, and options that ask it for three surfaces of two regions."""
    async with start(seed=7, now=TS.isoformat(), speed=0, limit=FREE, **given) as running:
        own = {
            "fortnite_surfaces_per_minute": 60_000,
            "fortnite_surfaces": SURFACES,
            "fortnite_regions": ("EU", "NAE"),
            "http_retries": 0,
        }
        yield running, simulated(settings, running).model_copy(update=own)


async def truth(db: Database, options: Settings) -> Shown:
    """What the surfaces show now, read past the pipeline's tables."""
    account = credentials(options)
    assert account is not None
    shown: Shown = {}
    async with open_surfaces(db, options, account) as surfaces:
        await surfaces.enter()
        for name in options.fortnite_surfaces:
            for region in options.fortnite_regions:
                one = Read(name, region)
                main = await surfaces.main(name, region)

                async def page(variant: str, panel: str, index: int, of: Read = one) -> bytes:
                    return await surfaces.page(of.surface, of.region, variant, panel, index)

                await read_panels(one, main, page, 20)
                shown |= {
                    (name, region, panel.panel): list(panel.codes)
                    for panel in one.panels
                    if panel.codes
                }
    return shown


async def stored(db: Database) -> Shown:
    found: Shown = {}
    rows = await db.fetch("select * from analytics.placement order by position")
    for row in rows:
        place = found.setdefault((row["surface"], row["region"], row["panel"]), [])
        place.append(row["code"])
        assert row["position"] == len(place)
    return found


async def test_through_failures_every_good_read_is_what_is_shown(
    sim_db: Database, settings: Settings
) -> None:
    faults: list[list[tuple[str, str, dict[str, Any]]]] = [
        [("surface", "error", {"times": 6}), ("surface_page", "cut", {"times": 3})],
        [("surface", "wrong", {"times": 2}), ("surface", "empty", {"skip": 1, "times": 2})],
        [("surface_page", "html", {"times": 20}), ("surface", "duplicate", {"times": 4})],
        [("surface", "nul", {"times": 5}), ("surface_page", "shape", {"times": 5})],
        [("surface", "surrogate", {"times": 3}), ("surface_page", "types", {"times": 3})],
    ]
    async with world(settings, islands=600) as (sim, options):
        wounded = 0
        for cycle, kinds in enumerate(faults):
            ts = TS + 2 * cycle * STEP
            await sim.clock(now=ts.isoformat())
            numbers = await read(sim_db, options, ts)
            assert numbers.complete
            assert await stored(sim_db) == await truth(sim_db, options)
            await sim.clock(now=(ts + STEP).isoformat())
            for route, kind, more in kinds:
                await sim.fault(route, kind, **more)
            hurt = await read(sim_db, options, ts + STEP)
            wounded += not hurt.complete or hurt.rejected > 0
            await sim.clear_faults()
        assert wounded == len(faults)
    left = await sim_db.fetch(
        "select e.event, count(*) as n from fortnite.placement_event as e group by 1"
    )
    assert {row["event"] for row in left} == {"ADDED", "REMOVED", "MOVED"}
    # the log adds up to what is there
    row = await sim_db.fetch_one(
        "select count(*) filter (where event = 'ADDED') - count(*) filter (where event = 'REMOVED') "
        "as there, (select count(*) from fortnite.placement) as placed from fortnite.placement_event"
    )
    assert row["there"] == row["placed"] > 0


async def test_two_workers_at_once_do_it_once(sim_db: Database, settings: Settings) -> None:
    async with world(settings, islands=600) as (sim, options):
        for cycle in range(3):
            ts = TS + cycle * STEP
            await sim.clock(now=ts.isoformat())
            both = await asyncio.gather(read(sim_db, options, ts), read(sim_db, options, ts))
            assert sum(numbers.surfaces for numbers in both) == 6
            assert await stored(sim_db) == await truth(sim_db, options)
            spans = await sim_db.fetch_one(
                "select count(*) as n from fortnite.placement_span where until is null"
            )
            assert spans["n"] == sum(map(len, (await stored(sim_db)).values()))


async def killed(db: Database, options: Settings, ts: datetime, after: int) -> int:
    """Run a worker that reads discovery, and kill it once it took over so many surfaces."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, ts.isoformat(),
        cwd=ROOT,
        env=environment(variables(options)),
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    ended = asyncio.create_task(process.wait())
    while not ended.done() and (await db.fetch_one(READS, (ts,)))["n"] < after:
        await asyncio.wait([ended], timeout=0.001)
    if not ended.done():
        process.send_signal(signal.SIGKILL)
    return await ended


def moves(before: Shown, after: Shown) -> set[tuple[str, str, str, int | None, int | None]]:
    """Surface, panel and code of whatever has another place than before, with both places."""

    def places(shown: Shown) -> dict[tuple[str, str, str], int]:
        return {
            (surface, panel, code): place
            for (surface, _, panel), codes in shown.items()
            for place, code in enumerate(codes, 1)
        }

    old, new = places(before), places(after)
    every = [(key, old.get(key), new.get(key)) for key in old.keys() | new.keys()]
    return {(*key, was, now) for key, was, now in every if was != now}


async def test_a_worker_killed_anywhere_is_followed_by_one_that_does_the_rest(
    sim_db: Database, settings: Settings
) -> None:
    async with world(settings, islands=600) as (sim, some):
        own = {"fortnite_surfaces": ALL_SURFACES[2:12], "fortnite_regions": ("EU",)}
        options = some.model_copy(update=own)
        await read(sim_db, options, TS)
        before, later = await truth(sim_db, options), TS + STEP
        await sim.clock(now=later.isoformat())
        ended = await killed(sim_db, options, later, random.randint(1, 6))
        assert ended == -signal.SIGKILL
        numbers = await read(sim_db, options, later)
        assert 0 < numbers.surfaces < 10
        after = await truth(sim_db, options)
    assert await stored(sim_db) == after
    rows = await sim_db.fetch("select * from analytics.placement_event where at = %s", (later,))
    found = [
        (r["surface"], r["panel"], r["code"], r["previous_position"], r["position"]) for r in rows
    ]
    assert sorted(found, key=repr) == sorted(moves(before, after), key=repr)


async def test_recorded_surfaces_are_stored_as_they_were(
    sim_db: Database, settings: Settings
) -> None:
    async with world(settings, replay=DATA) as (_, options):
        own = {"fortnite_surfaces": tuple(RECORDED), "fortnite_regions": ("EU",)}
        numbers = await read(sim_db, options.model_copy(update=own), TS)
        again = await read(sim_db, options.model_copy(update=own), TS + STEP)
    assert (numbers.complete, again.added + again.moved + again.removed) == (True, 0)
    wanted: dict[tuple[str, str], list[tuple[int, str, int]]] = {}
    for surface, file in RECORDED.items():
        for one in json.loads(recorded(file).read_text())["data"]["maps"]:
            entry = (one["place"], one["id"], one["lastSyncCcu"])
            wanted.setdefault((surface, one["panel"]), []).append(entry)
    shown = {place: [code for _, code, _ in sorted(rows)] for place, rows in wanted.items()}
    found = await stored(sim_db)
    assert {(surface, panel): codes for (surface, _, panel), codes in found.items()} == shown
    rows = await sim_db.fetch("select * from analytics.placement")
    # places are those recorded wherever none is missing before them
    for row in rows:
        places = sorted(wanted[row["surface"], row["panel"]])
        if [place for place, *_ in places] == list(range(1, len(places) + 1)):
            assert (row["position"], row["code"]) == places[row["position"] - 1][:2]
    islands = {r["code"] for r in await sim_db.fetch("select code from fortnite.island")}
    assert islands == {c for codes in shown.values() for c in codes if c[0].isdigit()}
    pages = await sim_db.fetch("select body from raw.snapshot where taken_at = %s", (TS,))
    entries = [
        (entry["linkCode"], entry["globalCCU"])
        for page in pages
        for part in page["body"].get("panels", [{"firstPage": page["body"]}])
        for entry in part["firstPage"]["results"]
    ]
    assert sorted(entries) == sorted(
        (code, ccu) for each in wanted.values() for _, code, ccu in each
    )
