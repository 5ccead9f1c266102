from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr

from etl.engine.database import Database, open_database
from etl.search.client import open_elasticsearch
from etl.settings import Settings
from tests.search.catalogue import Reader, recorded_index
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


@pytest.fixture(scope="package")
def indexed(
    postgres_url: str, template_database: str, elasticsearch_url: str, servers_home: Path
) -> Iterator[Settings]:
    """Recorded islands, indexed once for all tests that only read."""
    options = Settings(home=servers_home, elasticsearch_url=SecretStr(elasticsearch_url))
    with recorded_index(options, postgres_url, template_database) as filled:
        yield filled


@pytest.fixture
async def reader(indexed: Settings) -> AsyncIterator[Reader]:
    """Somebody who searches the recorded islands."""
    async with open_elasticsearch(indexed) as es:
        yield Reader(es, indexed)
