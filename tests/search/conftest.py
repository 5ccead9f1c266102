from collections.abc import AsyncIterator

import pytest
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database, open_database
from etl.settings import Settings
from tests.search.world import World


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A pool on the test's database."""
    async with open_database(database_url, size=8) as database:
        yield database


@pytest.fixture
async def world(db: Database, elasticsearch: AsyncElasticsearch, settings: Settings) -> World:
    """The test's database and index, empty."""
    return World(db, elasticsearch, settings)
