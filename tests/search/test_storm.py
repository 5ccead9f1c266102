"""Two sync workers, a rebuild after the other and a comparison, all at once under random writes."""

import asyncio
import os

import pytest
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database, open_database
from etl.search import rebuild
from etl.search.client import open_elasticsearch
from etl.search.indices import INDICES, ensure
from etl.search.reconcile import Report, reconcile
from etl.search.sync import sync
from etl.settings import Settings
from tests.search.equal import differences
from tests.search.writes import Writer

SECONDS = float(os.environ.get("ETL_TEST_STORM_SECONDS", "6"))
"""How long they write. A minute finds what is rare."""


class Storm:
    """Everybody at work until the writers stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.over = asyncio.Event()
        self.found: list[Report] = []
        self.rebuilt = 0
        self.sent = 0

    async def write(self, seed: int) -> None:
        async with self._open() as (db, _):
            writer = Writer(db, seed)
            ends = asyncio.get_running_loop().time() + SECONDS
            while asyncio.get_running_loop().time() < ends:
                await writer.turn()
        self.over.set()

    async def sync(self) -> None:
        async with self._open() as (db, es):
            while not self.over.is_set():
                self.sent += (await sync(db, es, self.settings, limit=200)).sent

    async def rebuild(self) -> None:
        async with self._open() as (db, es):
            while not self.over.is_set():
                for index in INDICES:
                    await rebuild.demand(db, es, self.settings, index)
                    turned = await rebuild.turn(db, es, self.settings, index, 10)
                    self.rebuilt += turned.live

    async def compare(self) -> None:
        async with self._open() as (db, es):
            while not self.over.is_set():
                for index in INDICES:
                    report = await reconcile(db, es, self.settings, index, thorough=True)
                    if report.skipped is None:
                        self.found.append(report)
