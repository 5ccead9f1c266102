"""A week in seconds: with the real rate scaled to a small world, no closed day of an active island is lost."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx

from etl.engine.database import Database
from etl.fortnite.catalogue import ingest
from etl.fortnite.metrics import read_due
from etl.settings import Settings
from etl.simulator.process import Running, start
from tests.fortnite.clocked import open_clocked, set_clock
from tests.fortnite.conftest import UNLIMITED, simulated
from tests.fortnite.metric_rows import COLUMNS, at
from tests.fortnite.test_metrics_api import told

BEGIN = at("2026-11-02 00:00")
STEP = timedelta(hours=4)
DAYS = 12
ISLANDS = 100
A_DAY = (3 * 86_400 - 48 * 289) / 288_880
"""Reads a day that each island of the real world is worth, when the catalogue has been listed."""
OUTAGE = (at("2026-11-06 08:00"), at("2026-11-07 20:00"))
"""Upstream answers nothing but errors."""


@dataclass
class Week:
    """A world that is run through, and what was seen on the way."""

    db: Database
    sim: Running
    options: Settings
    now: datetime = BEGIN
    allowance: float = 0
    reads: int = 0
    lost: int = 0
    stale: dict[date, list[str]] = field(default_factory=dict)

    async def step(self) -> None:
        """Four hours: the catalogue now and then, and as many reads as they are worth."""
        await set_clock(self.db, self.now)
        await self.sim.clock(self.now.isoformat(), 0)
        if self.now.hour == 0:
            await ingest(self.db, self.options)
        self.allowance += ISLANDS * A_DAY * (STEP / timedelta(days=1))
        limit = int(self.allowance)
        done = await read_due(self.db, self.options, limit=limit)
        # a turn that is not taken cannot be saved up
        self.allowance -= limit
        self.reads += done.read + done.failed
        self.lost += done.lost
        self.now += STEP


async def test_no_closed_day_of_an_active_island_is_lost(
    database_url: str, settings: Settings
) -> None:
    async with (
        start(islands=ISLANDS, seed=11, now=BEGIN.isoformat(), speed=0, limit=UNLIMITED) as sim,
        open_clocked(database_url, BEGIN) as db,
    ):
        week = Week(db, sim, simulated(settings, sim).model_copy(update={"http_retries": 0}))
        woken = await _wake(sim)
        while week.now < BEGIN + timedelta(days=DAYS):
            if week.now == OUTAGE[0]:
                await sim.fault("metrics", "error")
            if week.now == OUTAGE[1]:
                await sim.clear_faults()
            await week.step()
            if week.now - BEGIN > timedelta(days=3) and week.now.hour == 16:
                week.stale[week.now.date()] = await _stale(week)
        truth = await _truth(sim, at("2026-11-09 00:29"))
        truth |= await _truth(sim, at("2026-11-11 00:29"))
        found = await _stored(db)
        states = await db.fetch("select read_through from fortnite.island_metric_state")

    days = {BEGIN.date() + timedelta(days=n) for n in range(8)}
    wanted = {key: values for key, values in truth.items() if key[1] in days}
    assert len(wanted) > 90
    assert {key: found.get(key) for key in wanted} == wanted
    assert {code for code, _ in wanted} >= woken.keys()
    for code, day in woken.items():
        assert (code, day) in wanted, "the world did not wake it"
    assert week.lost == 0
    # within the margin an outage leaves, everything was read again before upstream dropped it
    assert min(row["read_through"] for row in states) >= max(days)
    # a day that is over is there after noon, but while upstream was away and until that was made up for
    late = {day: codes for day, codes in week.stale.items() if codes}
    assert set(late) <= {date(2026, 11, 6), date(2026, 11, 7), date(2026, 11, 8)}
    assert week.reads <= ISLANDS * A_DAY * DAYS + 1


async def _wake(sim: Running) -> dict[str, date]:
    """Have islands that nobody plays be played for one day each, in turn; gives which and when."""
    codes = await sim.codes(limit=ISLANDS)
    quiet = [code for code in codes if (await sim.truth(code))["peak"] == 0]
    # not of those that are new and may still be tried by somebody
    chosen = {code: BEGIN + timedelta(days=n % 8) for n, code in enumerate(quiet[20:26])}
    for code, day in chosen.items():
        until = day + timedelta(days=1)
        await sim.wake(code, at=day.isoformat(), until=until.isoformat(), peak=40)
    return {code: day.date() for code, day in chosen.items()}


async def _truth(sim: Running, now: datetime) -> dict[tuple[str, date], tuple[Any, ...]]:
    """The days that upstream keeps at an instant, as it tells them once they are closed."""
    await sim.clock(now.isoformat(), 0)
    codes = await sim.codes(limit=ISLANDS * 2)
    days: dict[tuple[str, date], tuple[Any, ...]] = {}
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        for code in codes:
            path = f"/ecosystem/v1/islands/{code}/metrics"
            since = f"{now - timedelta(days=7):%Y-%m-%d}"
            said = told(json.loads((await client.get(path, params={"from": since})).content))
            for ts in {ts for ts, _ in said}:
                values = tuple(said[ts, name] for name in COLUMNS)
                if any(value is not None for value in values):
                    days[code, ts.date()] = values
    return days


async def _stored(db: Database) -> dict[tuple[str, date], tuple[Any, ...]]:
    rows = await db.fetch(
        "select m.*, i.code from fortnite.island_metric as m join fortnite.island as i "
        "using (island_id) where not m.partial"
    )
    return {(row["code"], row["ts"].date()): tuple(row[name] for name in COLUMNS) for row in rows}


async def _stale(week: Week) -> list[str]:
    """Islands played the day before, as was known, whose closed day is not there after noon."""
    rows = await week.db.fetch(
        "select i.code from engine.crawl as c join fortnite.island as i on i.code = c.key "
        "join fortnite.island_metric_state as m using (island_id) "
        "where c.resource = 'fortnite.metrics' and c.class in (1, 2) and m.read_through < %s",
        (week.now.date() - timedelta(days=1),),
    )
    return [row["code"] for row in rows]
