"""A worker killed at random moments and started again ends where an undisturbed one does."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import LiteralString

import pytest
import structlog
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database, open_database
from etl.settings import Settings
from etl.simulator.process import Running
from tests.commands import environment, variables
from tests.faults.conftest import with_url
from tests.faults.rows import Rows, documents, rows, unlike
from tests.faults.world import differences, time_passes

ROOT = Path(__file__).parents[2]
log = structlog.get_logger(__name__)

LATER = "2026-11-03T18:00:00Z"

Process = asyncio.subprocess.Process


@asynccontextmanager
async def driver(options: Settings, *arguments: str) -> AsyncIterator[Process]:
    """A worker process; gone after the context."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.driver", *arguments,
        cwd=ROOT,
        env=environment(variables(options)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def undisturbed(options: Settings, *arguments: str) -> None:
    async with driver(options, *arguments) as process:
        assert await process.wait() == 0


PROGRESS: LiteralString = """
select
  (select count(*) from raw.document) as landed,
  (select last_value from search.version) as sent
"""


async def killed(
    db: Database, options: Settings, chance: random.Random, kills: list[tuple[str, int]], *more: str
) -> int:
    """Kill it once it landed so many documents, or sent so many batches; gives how often it was there to be killed."""
    struck = 0
    for what, most in kills:
        target = (await db.fetch_one(PROGRESS))[what] + chance.randint(1, most)
        async with driver(options, *more) as process:
            while (await db.fetch_one(PROGRESS))[what] < target:
                if process.returncode is not None:
                    break
                await asyncio.sleep(0.001)
            await asyncio.sleep(chance.uniform(0, 0.03))
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                struck += 1
            assert await process.wait() in (0, -signal.SIGKILL)
    return struck


async def compared(db: Database, es: AsyncElasticsearch, options: Settings) -> Rows:
    """All that is there, in the database and the index, which must agree."""
    found = await rows(db)
    found["index"] = await documents(es, options)
    assert differences(found["index"], found["view"]) == []
    return found


@pytest.mark.timeout(240)
async def test_killed_at_random_moments_and_started_again(
    options: Settings,
    sim: Running,
    db: Database,
    elasticsearch: AsyncElasticsearch,
    other_database: str,
) -> None:
    seed = random.randrange(1_000_000)
    log.info("kills", seed=seed)
    chance = random.Random(seed)
    rough = with_url(options, other_database, f"{options.search_prefix}rough-")
    rough = rough.model_copy(update={"crawl_lease": 1.5, "search_lease": 3.0, "search_batch": 10})
    async with open_database(other_database, size=2) as other:
        await undisturbed(options)
        kills = [("landed", 200), ("landed", 240), ("sent", 10)]
        struck = await killed(other, rough, chance, kills)
        await undisturbed(rough)
        calm = await compared(db, elasticsearch, options)
        assert len(calm["index"]) > 240
        assert len(calm["ccu"]) > 240
        assert unlike(await compared(other, elasticsearch, rough), calm) == {}

        await sim.clock(LATER)
        codes = list(calm["islands"])
        await sim.change(codes=codes[::3])
        await sim.vanish(*codes[1::20])
        try:
            for each in (db, other):
                await time_passes(each)
            await undisturbed(options, "again")
            kills = [("landed", 80), ("sent", 8)]
            struck += await killed(other, rough, chance, kills, "again")
            await undisturbed(rough, "again")
        finally:
            await sim.restore(*codes[1::20])
        assert struck >= 3
        changed = await compared(db, elasticsearch, options)
        assert len(changed["changes"]) > len(codes) // 3
        assert unlike(await compared(other, elasticsearch, rough), changed) == {}
