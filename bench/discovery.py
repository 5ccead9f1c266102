"""What a cycle of discovery costs beside landing its pages: 16 surfaces, 193 panels, 8 regions.

``python -m bench.discovery [--cycles N] [--url URL]``: a PostgreSQL of its own, or an empty database that is given.
Every cycle brings all pages of all regions. A third of who stands in a panel has another place than ten minutes before,
some enter and leave, as was recorded. Pages are landed and reads taken over by four lanes, as in the job, first the one
and then the other, so that each is timed alone; then a day of such cycles is summed up.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import orjson

from etl import embedded
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.engine.snapshot import Snapshot, keep
from etl.engine.together import in_lanes
from etl.fortnite.discovery import APPLY, LANES, RESOURCE, arguments
from etl.fortnite.panels import Panel, Read
from etl.settings import REGIONS, SURFACES, Settings

START = datetime(2026, 11, 20, tzinfo=UTC)
STEP = timedelta(minutes=10)
PANELS = (57, 49, 7, 7, 6, 7, 7, 7, 5, 5, 6, 4, 20, 2, 2, 2)  # by surface, as was recorded
ISLANDS = 4000
PAGE = 20
MOST = 0.01
"""Of the ten minutes of a cycle, landing the pages and taking the reads over may take this share."""


class Stage:
    """Who stands where, in every panel of every region."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        self._codes = [f"{n:04}-{n * 7 % 10_000:04}-0000" for n in range(ISLANDS)]
        self._panels = {
            (surface, region, f"Panel{n}"): self._chance.sample(self._codes, 4 + n * 17 % 43)
            for surface, count in zip(SURFACES, PANELS, strict=True)
            for region in REGIONS
            for n in range(count)
        }

    def turn(self) -> None:
        """Ten minutes pass."""
        for codes in self._panels.values():
            if self._chance.random() < 0.3:
                new = self._chance.choice(self._codes)
                if new not in codes:
                    codes.pop()
                    codes.insert(self._chance.randrange(len(codes)), new)
            for _ in range(len(codes) // 8):
                at = self._chance.randrange(len(codes) - 1)
                codes[at], codes[at + 1] = codes[at + 1], codes[at]

    def reads(self) -> list[Read]:
        """A read of each surface in each region, pages and all."""
        found = {(s, r): Read(s, r) for s in SURFACES for r in REGIONS}
        for (surface, region, panel), codes in self._panels.items():
            read = found[surface, region]
            places = {code: place for place, code in enumerate(codes, 1)}
            read.panels.append(Panel(panel, len(read.panels) + 1, panel, "CuratedList", places))
            for start in range(PAGE, len(codes), PAGE):
                body = orjson.dumps(page(codes[start : start + PAGE]))
                read.pages.append(Snapshot(f"{read.key}/{panel}", start // PAGE, body))
        for read in found.values():
            main = {
                "panels": [
                    {"panelName": panel.panel, "firstPage": page(list(panel.codes or ())[:PAGE])}
                    for panel in read.panels
                ]
            }
            read.pages.append(Snapshot(read.key, 0, orjson.dumps(main)))
        return list(found.values())


def page(codes: list[str]) -> dict[str, object]:
    entry: dict[str, object] = {
        "lastVisited": None,
        "isFavorite": False,
        "globalCCU": 1234,
        "lockStatus": "UNLOCKED",
        "lockStatusReason": "RATING_THRESHOLD",
        "isVisible": True,
    }
    results = [{"linkCode": code, **entry} for code in codes]
    return {"results": results, "hasMore": False, "panelTargetName": None, "pageMarker": None}


async def one_cycle(db: Database, reads: list[Read], at: datetime) -> tuple[float, float, int]:
    """Seconds to land the pages, seconds to take the reads over, and events."""
    events = 0

    async def land(read: Read) -> None:
        await keep(db, RESOURCE, at, read.pages)

    async def take(read: Read) -> None:
        nonlocal events
        done = await db.fetch_one(APPLY, arguments(read, at))
        events += done["added"] + done["removed"] + done["moved"]

    began = perf_counter()
    await in_lanes(reads, land, LANES)
    landed = perf_counter()
    await in_lanes(reads, take, LANES)
    return landed - began, perf_counter() - landed, events


async def measure(url: str, cycles: int) -> None:
    stage = Stage()
    async with open_database(url, size=LANES) as db:
        ratios, shares = [], []
        for n in range(cycles):
            reads = stage.reads()
            pages = sum(len(read.pages) for read in reads)
            size = sum(len(page.body) for read in reads for page in read.pages) / 1e6
            landing, taking, events = await one_cycle(db, reads, START + n * STEP)
            if n == 0:
                await db.execute("analyze")
                print(f"{len(reads)} reads, {pages} pages, {size:.1f} MB")
            else:
                ratios.append(taking / landing)
                shares.append((taking + landing) / STEP.total_seconds())
            print(
                f"cycle {n}: pages {landing:.2f} s, diff {taking:.2f} s "
                f"({taking / landing:.2f}), {events:,} events"
            )
            stage.turn()
        print(f"diff / landing of the pages: {statistics.median(ratios):.2f}")
        print(f"both, of ten minutes: {statistics.median(shares):.2%} (<= {MOST:.0%})")
        began = perf_counter()
        row = await db.fetch_one("select fortnite.compute_placement_day(%s) as n", (START.date(),))
        print(f"a day summed up: {row['n']:,} rows in {perf_counter() - began:.2f} s")
        await answers(db, START + cycles * STEP / 2)


async def answers(db: Database, at: datetime) -> None:
    """How long the questions of history take."""
    code = (await db.fetch_one("select code from fortnite.placement order by code limit 1"))["code"]
    for name, query, parameters in (
        (
            "a surface at an instant",
            "select count(*) as n from analytics.surface_at(%s, 'EU', %s)",
            (SURFACES[1], at),
        ),
        (
            "an island over a span",
            "select count(*) as n from analytics.island_placements(%s, %s, %s)",
            (code, START, at),
        ),
        (
            "a panel on a day",
            "select count(*) as n from analytics.panel_traffic(%s, 'EU', 'Panel1', %s)",
            (SURFACES[1], START.date()),
        ),
        (
            "summary of an island",
            "select minutes_24h as n from analytics.island_discovery where code = %s",
            (code,),
        ),
    ):
        began = perf_counter()
        row = await db.fetch_one(query, parameters)
        print(f"{name}: {row['n']} in {1000 * (perf_counter() - began):.0f} ms")
    row = await db.fetch_one(
        "select pg_total_relation_size('fortnite.placement_ended') as spans, "
        "pg_total_relation_size('fortnite.placement_event') as events, "
        "(select count(*) from fortnite.placement_ended) as n, "
        "(select count(*) from fortnite.placement_event) as m"
    )
    print(f"bytes a span {row['spans'] / row['n']:.0f}, an event {row['events'] / row['m']:.0f}")


@contextmanager
def server(given: str | None) -> Iterator[str]:
    """URL of a migrated database."""
    if given is not None:
        migrate(given, Settings())
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    options = Settings(home=home)
    try:
        embedded.up(options, ("postgres",))
        url = embedded.database_url(options)
        migrate(url, options)
        yield url
    finally:
        embedded.down(options)
        shutil.rmtree(home)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=12)
    parser.add_argument("--url")
    options = parser.parse_args()
    with server(options.url) as url:
        asyncio.run(measure(url, options.cycles))


if __name__ == "__main__":
    main()
