"""A simulated upstream for the folder: 2,300 islands, its clock stopped; each test leaves it clean."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from etl.engine.database import Database, open_database
from etl.settings import Settings
from etl.simulator.process import Running, settings_for, start
from tests.fortnite.upstream import Fake, fake, pointed

ISLANDS = 2300
NOW = "2026-11-01T18:00:00Z"
UNLIMITED: dict[str, float | None] = dict.fromkeys(("data", "links", "entries", "creators"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world() -> AsyncIterator[Running]:
    """The simulator's process."""
    async with start(islands=ISLANDS, seed=7, now=NOW, speed=0, limit=UNLIMITED) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def sim(world: Running) -> AsyncIterator[Running]:
    """The simulator, without faults and limits."""
    await world.clear_faults()
    await world.clock(NOW, 0)
    await world.limits(**UNLIMITED)
    yield world
    await world.clear_faults()
    # What is read of the world once for many tests is read at this instant, whoever was before.
    await world.clock(NOW, 0)


@pytest_asyncio.fixture(loop_scope="session")
async def sim_db(database_url: str) -> AsyncIterator[Database]:
    """The test's database, for tests that talk to the simulator."""
    async with open_database(database_url, size=6) as opened:
        yield opened


@pytest.fixture
def sim_options(settings: Settings, sim: Running) -> Settings:
    """Options that point at the simulator, fast and with its credentials."""
    return simulated(settings, sim)


def simulated(settings: Settings, sim: Running) -> Settings:
    """Options that point at a simulator."""
    own = {
        name.removeprefix("ETL_").lower(): value for name, value in settings_for(sim.url).items()
    }
    secret = {name: SecretStr(value) for name, value in own.items() if not name.endswith("_url")}
    urls = {name: value for name, value in own.items() if name.endswith("_url")}
    return pointed(settings, sim.url, http_retries=2, **(secret | urls))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The test's database."""
    async with open_database(database_url, size=6) as opened:
        yield opened


@pytest.fixture
async def upstream() -> AsyncIterator[Fake]:
    """Services that know and say what the test wants."""
    async with fake() as made:
        yield made


@pytest.fixture
def options(settings: Settings, upstream: Fake) -> Settings:
    """Options that point at them."""
    return pointed(settings, upstream.url)
