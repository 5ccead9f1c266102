"""Sync workers, rebuilds, rollbacks and comparisons, all at once under random writes."""

import asyncio
import os
from dataclasses import dataclass, field

from etl.errors import PlainError
from etl.search import rebuild
from etl.search.indices import INDICES, ensure
from etl.search.reconcile import Report, reconcile
from etl.search.sync import sync
from etl.settings import Settings
from tests.search.equal import differences
from tests.search.world import World
from tests.search.writes import Writer

SECONDS = float(os.environ.get("ETL_TEST_STORM_SECONDS", "5"))
"""How long the writers write. A minute finds what is rare."""


@dataclass
class Storm:
    """Everybody at work until the writers stop."""

    world: World
    settings: Settings
    writes: int = 0
    sent: int = 0
    lived: int = 0
    compared: list[Report] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def happened(self) -> bool:
        """Whether everybody had a part in it, however slow the machine."""
        return min(self.writes, self.sent, self.lived, len(self.compared)) > 0

    async def write(self, seed: int) -> None:
        writer = Writer(self.world.db, seed)
        ends = asyncio.get_running_loop().time() + SECONDS
        while asyncio.get_running_loop().time() < ends or not self.happened:
            await writer.turn()
            self.writes += 1
        self.over.set()

    async def sync(self) -> None:
        while not self.over.is_set():
            done = await sync(self.world.db, self.world.es, self.settings, limit=100)
            self.sent += done.sent + done.deleted
            assert not done.rejected

    async def rebuild(self) -> None:
        """One rebuild after the other, every third time a way back."""
        turns = 0
        while not self.over.is_set():
            turns += 1
            for index in INDICES:
                try:
                    if turns % 3:
                        await rebuild.demand(self.world.db, self.world.es, self.settings, index)
                    else:
                        await rebuild.roll_back(self.world.db, self.settings, index)
                except PlainError:
                    continue  # the first rebuild is still under way
                turned = await rebuild.turn(self.world.db, self.world.es, self.settings, index, 10)
                self.lived += turned.live
            await asyncio.sleep(0.05)  # a moment in which nothing is built is one to compare in

    async def compare(self) -> None:
        while not self.over.is_set():
            for index in INDICES:
                report = await reconcile(
                    self.world.db, self.world.es, self.settings, index, thorough=True
                )
                if report.skipped is None:
                    self.compared.append(report)
            await asyncio.sleep(0)


async def test_all_at_once_ends_with_every_document_equal_to_its_row(world: World) -> None:
    small = world.settings.model_copy(update={"search_batch": 10, "search_connections": 2})
    storm = Storm(world, small)
    await ensure(world.db, world.es, small)
    async with asyncio.TaskGroup() as group:
        for work in (storm.write(1), storm.sync(), storm.sync(), storm.rebuild(), storm.compare()):
            group.create_task(work)
    # What was compared meanwhile was pending or right, never drift.
    assert [report for report in storm.compared if report.drifted] == []
    for index in INDICES:
        await rebuild.turn(world.db, world.es, small, index, 10)
    await sync(world.db, world.es, small)
    await sync(world.db, world.es, small)
    assert await world.pending() == 0
    assert await differences(world.db, world.es, small) == {}
