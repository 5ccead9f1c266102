"""Nine days of a small world, landed once through the simulator, and an analyst who may only read it."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from pydantic import SecretStr

from etl.engine.database import Connection, Database, open_database
from etl.fortnite import performance, placements, players, rankings, totals
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.discovery import read
from etl.fortnite.islands import refresh_islands
from etl.fortnite.metrics import read_due
from etl.settings import Settings
from etl.simulator.process import Running, start
from tests.conftest import drop, with_database
from tests.fortnite.conftest import UNLIMITED, simulated

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STEP = timedelta(minutes=10)


@dataclass(frozen=True)
class Landed:
    """A database that holds the world, as its owner; ``today`` is the first instant of the day that runs."""

    url: str
    db: Database
    today: datetime


def cycles(today: datetime) -> list[datetime]:
    """Eight a day for a week, hourly from an hour before discovery is read, every ten minutes around
    its last reads, the first of today.
    """
    return sorted(
        {
            *(today - 9 * DAY + n * 3 * HOUR for n in range(56)),
            *(today - 2 * DAY + n * HOUR for n in range(-1, 48)),
            *(today - DAY + 8 * HOUR + n * STEP for n in range(24)),
            today,
        }
    )


def reads(today: datetime) -> list[datetime]:
    """When discovery is read."""
    before = [today - 2 * DAY + n * 4 * HOUR for n in range(6)]
    return [*before, today - DAY + 9 * HOUR, today - DAY + 11 * HOUR]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def landed(
    postgres_url: str, template_database: str, servers_home: Path
) -> AsyncIterator[Landed]:
    """The world and all that is made of it."""
    name = f"analytics_{secrets.token_hex(4)}"
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    url = with_database(postgres_url, name)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template_database)
            )
        )
    async with (
        open_database(url, size=6) as db,
        start(
            islands=160,
            growth=11,
            seed=5,
            hidden=0,
            now=today.isoformat(),
            speed=0,
            limit=UNLIMITED | {"surfaces": None},
        ) as sim,
    ):
        base = Settings(home=servers_home, database_url=SecretStr(url))
        options = simulated(base, sim).model_copy(
            update={
                "fortnite_surfaces": ("CreativeDiscoverySurface_Frontend",),
                "fortnite_regions": ("EU",),
                "fortnite_surfaces_per_minute": 60_000,
            }
        )
        await _land(db, options, sim, today)
        yield Landed(url, db, today)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        drop(admin, name)


async def _land(db: Database, options: Settings, sim: Running, today: datetime) -> None:
    await ingest(db, options)
    while (await refresh_islands(db, options, 1000)).landed:
        pass
    await players.refresh_creators(db, options, requests=20)
    looked = reads(today)
    for n, ts in enumerate(cycles(today)):
        await sim.clock(now=ts.isoformat())
        await cycle(db, options, ts, pages=1000 if n % 12 == 0 or ts in looked else 0)
        if ts in looked:
            await read(db, options, ts)
    await sim.change(share=0.5, fields=["tags"])
    await sim.change(share=1, fields=["version"])
    await db.execute("update engine.crawl set due_at = now() where resource = 'fortnite.island'")
    while (await refresh_islands(db, options, 1000)).landed:
        pass
    while (await read_due(db, options, limit=200)).read:
        pass
    await rankings.compute_days(db, options, now=today + HOUR)
    for day in range(1, 9):
        await rankings.rank(db, (today - day * DAY).date(), "ccu", 1000)
    await performance.compute(db)
    await totals.count(db)
    for day in range(9, 0, -1):
        await totals.close_day(db, (today - day * DAY).date())
    await placements.compute_days(db)


@pytest.fixture
async def analyst(landed: Landed, analyst_password: str) -> AsyncIterator[Connection]:
    """A connection as etl_analyst."""
    url = make_conninfo(landed.url, user="etl_analyst", password=analyst_password)
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, row_factory=dict_row
    ) as connection:
        yield connection
