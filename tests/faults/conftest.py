"""One simulated world for the folder: 240 islands on three pages of the catalogue, its clock stopped."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from etl.engine.database import Database, open_database
from etl.fortnite import client
from etl.settings import Settings
from etl.simulator.process import Running, start
from tests.conftest import copy_of
from tests.faults.world import NOW, PAGE, Truth, ask, pointed
from tests.simulator.conftest import UNLIMITED


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def simulator() -> AsyncIterator[Running]:
    async with start(
        islands=240, seed=11, now=NOW, speed=0, limit=UNLIMITED, hidden=0.04
    ) as running:
        yield running


@pytest.fixture
async def sim(simulator: Running) -> AsyncIterator[Running]:
    """The simulator, asked from the test's own loop; left without faults, its clock where it was."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        own = Running(simulator.url, simulator.pid, http)
        yield own
        await own.clear_faults()
        await own.clock(NOW, 0)


@pytest.fixture
async def truth(sim: Running) -> Truth:
    """The world before anything is wrong with it."""
    return await ask(sim)


@pytest.fixture
def options(settings: Settings, sim: Running) -> Settings:
    """Options of a pipeline that asks the simulator and sends nothing twice."""
    return pointed(settings, sim.url, http_timeout=20.0, http_retries=0)


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing has three pages without a thousand islands on each."""
    monkeypatch.setattr(client, "MOST_LISTED", PAGE)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=8) as opened:
        yield opened


@pytest.fixture
def other_database(postgres_url: str, template_database: str) -> Iterator[str]:
    """URL of a second database, as fresh as the test's own."""
    with copy_of(template_database, postgres_url) as url:
        yield url


def with_url(settings: Settings, url: str, prefix: str) -> Settings:
    """The same options on another database and other indices."""
    return settings.model_copy(update={"database_url": SecretStr(url), "search_prefix": prefix})
