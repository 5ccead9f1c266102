"""Servers that stop in the middle of the work and come back: it goes on, to the same end."""

import asyncio
import json
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr

from etl import embedded
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.islands import refresh_islands
from etl.fortnite.players import refresh_creators
from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.sync import sync
from etl.settings import Settings
from etl.simulator.process import Running
from tests.commands import ETL, environment, variables
from tests.conftest import HOMES, server_settings
from tests.faults.rows import documents, rows
from tests.faults.world import TS, Truth, pointed, samples, time_passes, wrong_in
from tests.search.equal import differences as unequal

ALL = 100_000


@pytest.fixture
def own_home() -> Iterator[Settings]:
    """A home of the test's own, whose servers it may stop."""
    home = Path(tempfile.mkdtemp(prefix="headrace-test-", dir=HOMES))
    own = server_settings(home)
    try:
        yield own
    finally:
        embedded.down(own)
        shutil.rmtree(home)


@pytest.fixture
def own_postgres(own_home: Settings) -> Settings:
    embedded.up(own_home, ("postgres",))
    url = embedded.database_url(own_home)
    migrate(url, own_home)
    return own_home.model_copy(update={"database_url": SecretStr(url)})


def restart_postgres(own: Settings, how: str) -> None:
    """Stop it as ``pg_ctl -m fast`` or ``-m immediate`` does, and start it where it was."""
    own = server_settings(own.home)  # what has a URL in its options is not touched
    if how == "immediate":
        data = own.home / "postgres" / "data" / "postmaster.pid"
        server = psutil.Process(int(data.read_text().split()[0]))
        server.send_signal(signal.SIGQUIT)
        server.wait(30)
    else:
        embedded.down(own, ("postgres",))
    embedded.up(own, ("postgres",))


async def through(work: Callable[[], Awaitable[object]]) -> None:
    """Do the work, and again where it gave up because the server was away."""
    for _ in range(5):
        try:
            await work()
        except psycopg.OperationalError:
            await asyncio.sleep(0.2)
        else:
            return
    pytest.fail("the database stayed away")


async def reached(sim: Running, route: str, count: int) -> None:
    """Wait until so many requests more were answered."""
    before = (await sim.state())["served"].get(route, 0)
    while True:
        if (await sim.state())["served"].get(route, 0) >= before + count:
            return
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_postgres_restarted_in_the_middle_of_everything(
    own_postgres: Settings, sim: Running, truth: Truth, how: str
) -> None:
    own = pointed(own_postgres, sim.url, crawl_lease=2.0)
    async with open_database(embedded.database_url(own), size=8) as db:

        async def fetch() -> None:
            await ingest(db, own)
            await refresh_islands(db, own, ALL)

        async def sample() -> None:
            await cycle(db, own, TS)

        for work, route, count in ((fetch, "links", 1), (sample, "creator", 20)):
            working = asyncio.create_task(through(work))
            await reached(sim, route, count)
            await asyncio.to_thread(restart_postgres, own, how)
            await working
        # what was in hand is free when its lease has run out
        async with asyncio.timeout(30):
            while await db.fetch(
                "select 1 as there from engine.crawl where due_at <= now() limit 1"
            ):
                await refresh_islands(db, own, ALL)
                await cycle(db, own, TS)
                await refresh_creators(db, own)
        assert await wrong_in(db, truth) == {}
        assert await samples(db) == truth.samples
        found = await rows(db)
        assert all(key.endswith(" 1") for key in found["documents"])
        assert {row["attempts"] for row in found["crawl"].values()} == {0}
        assert not found["changes"]
        assert not found["rejected"]


@asynccontextmanager
async def worker(options: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real worker process, which must be alive at the end and end when it is told to."""
    process = await asyncio.create_subprocess_exec(
        ETL, "worker", env=environment(variables(options)), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
        assert process.returncode is None
        process.terminate()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def enqueue(db: Database, *tasks: str) -> None:
    for task in tasks:
        await db.execute("select ops.enqueue(%s)", (task,))


@pytest.mark.timeout(180)
async def test_postgres_restarted_under_a_worker(
    own_postgres: Settings,
    options: Settings,
    sim: Running,
    truth: Truth,
    elasticsearch: AsyncElasticsearch,
) -> None:
    own = options.model_copy(
        update={
            "home": own_postgres.home,
            "database_url": own_postgres.database_url,
            "crawl_lease": 2.0,
            "search_lease": 3.0,
            "worker_silence": 3.0,
        }
    )
    async with open_database(embedded.database_url(own), size=4) as db, worker(own) as process:
        await reached(sim, "links", 1)
        await asyncio.to_thread(restart_postgres, own, "immediate")
        await asyncio.sleep(0.5)
        await asyncio.to_thread(restart_postgres, own, "fast")

        async def ended() -> bool:
            (newest,) = await db.fetch(
                "select ts, bool_and(complete) as complete from fortnite.ccu_cycle "
                "group by ts union all select null, false order by ts desc nulls last limit 1"
            )
            return (
                newest["complete"]
                and await samples(db, newest["ts"]) == truth.samples
                and await wrong_in(db, truth) == {}
                and not await db.fetch("select 1 as there from search.dirty limit 1")
            )

        async with asyncio.timeout(120):
            while not await ended():
                assert process.returncode is None, "the worker ended"
                await enqueue(db, "fortnite.catalogue", "fortnite.island", "fortnite.ccu")
                await enqueue(db, "maintenance.rescue", "search.sync")
                await asyncio.sleep(1)
        found = await rows(db)
        assert not found["rejected"]
        assert not await db.fetch("select 1 as there from ops.dead")
        assert (await documents(elasticsearch, own)).keys() == found["view"].keys()


@pytest.mark.timeout(240)
async def test_elasticsearch_killed_in_the_middle_of_a_sync(
    own_home: Settings, options: Settings, sim: Running, db: Database
) -> None:
    await asyncio.to_thread(embedded.up, own_home, ("elasticsearch",))
    url = embedded.elasticsearch_url(own_home)
    own = options.model_copy(
        update={
            "elasticsearch_url": SecretStr(url),
            "search_batch": 5,
            "search_lease": 5.0,
        }
    )

    async def waiting() -> int:
        row = await db.fetch_one("select count(distinct (index, id)) as n from search.pending")
        return int(row["n"])

    async with open_elasticsearch(own) as es:
        await sync(db, es, own)
        await ingest(db, own)
        await refresh_islands(db, own, ALL)
        syncing = asyncio.create_task(sync(db, es, own))
        while await waiting() in (0, 240):
            assert not syncing.done(), "it ended before the server was killed"
            await asyncio.sleep(0.001)
        kill_elasticsearch(own_home)
        with pytest.raises(SearchUnavailable):
            await syncing
        held = await waiting()
        assert held > 0

        # the pipeline goes on; what had been taken over or was on its way is not marked again
        rows_left = await db.fetch("select distinct id from search.pending")
        await sim.change(codes=[row["id"] for row in rows_left[:20]])
        await time_passes(db)
        assert (await refresh_islands(db, own, ALL)).changed == 20
        assert await waiting() == held
        with pytest.raises(SearchUnavailable):
            await sync(db, es, own)

        await asyncio.to_thread(embedded.up, own_home, ("elasticsearch",))
        assert embedded.elasticsearch_url(own_home) == url
        async with asyncio.timeout(60):
            while await waiting():
                await sync(db, es, own)
                await asyncio.sleep(0.1)
        view = (await rows(db))["view"]
        assert len(view) == 240
        assert await unequal(db, es, own) == {}


def kill_elasticsearch(own: Settings) -> None:
    state = json.loads((own.home / "elasticsearch" / "state.json").read_text())
    node = psutil.Process(state["pid"])
    node.kill()
    node.wait(30)
