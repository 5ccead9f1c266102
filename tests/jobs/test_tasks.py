"""The tasks themselves, as a worker runs them: from the upstream to Elasticsearch."""

import secrets
from typing import Any

import psycopg
import pytest
from elasticsearch import AsyncElasticsearch

import etl.settings
import jobs
from etl.fortnite import ccu, discovery
from etl.settings import Settings
from etl.simulator.process import start
from tests.commands import variables
from tests.faults.world import pointed
from tests.jobs.conftest import Rows, until, working

ISLANDS = 150
FAST = dict.fromkeys(("data", "links", "entries", "creators", "surfaces"))
CHAIN = (
    "fortnite.catalogue",
    "fortnite.island",
    "fortnite.metrics",
    "fortnite.ccu",
    "fortnite.discovery",
    "fortnite.placement_daily",
    "fortnite.rollup",
    "fortnite.performance",
    "fortnite.classify",
    "fortnite.creator",
    "fortnite.creator_now",
    "fortnite.creator_daily",
    "fortnite.ranking",
    "search.sync",
    "search.rebuild",
    "search.reconcile",
    "maintenance.rescue",
    "maintenance.retention",
)


async def run(rows: Rows, task: str) -> dict[str, Any]:
    """Queue a task, wait for its end and give its numbers."""
    (job,) = await rows("select ops.enqueue(%s) as id", task)
    ended = "select * from ops.run where job_id = %s and finished_at is not null"

    async def has_ended() -> bool:
        return bool(await rows(ended, job["id"]))

    await until(has_ended)
    (done,) = await rows(ended, job["id"])
    assert (done["outcome"], done["error"]) == ("succeeded", None)
    numbers = done["numbers"]
    assert isinstance(numbers, dict)
    return numbers


async def until_declared(rows: Rows) -> None:
    async def is_declared() -> bool:
        return len(await rows("select task from ops.schedule")) == len(CHAIN)

    await until(is_declared)


async def test_every_task_does_its_part(
    settings: Settings,
    elasticsearch: AsyncElasticsearch,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However soon the next cycle is: it would stop both before they begin.
    monkeypatch.setattr(ccu, "CYCLE_S", 1200)
    monkeypatch.setattr(discovery, "CYCLE_S", 1200)
    async with start(islands=ISLANDS, seed=3, limit=FAST) as upstream:
        for name, value in variables(pointed(settings, upstream.url)).items():
            monkeypatch.setenv(name, value)
        etl.settings.settings.cache_clear()
        async with jobs.app.open_async(), working(jobs.app):
            await until_declared(rows)
            numbers = {task: await run(rows, task) for task in CHAIN}

    assert numbers["fortnite.catalogue"]["landed"] == ISLANDS
    # The ticks that were due at the start may have done some of it.
    (done,) = await rows(
        "select sum((numbers ->> 'landed')::int) filter (where task = 'fortnite.island') as landed,"
        " sum((numbers ->> 'changed')::int) filter (where task = 'fortnite.performance') as changed"
        " from ops.run"
    )
    assert int(str(done["landed"])) >= ISLANDS
    (known,) = await rows("select count(*) as islands from fortnite.island")
    (sampled,) = await rows(
        "select count(*) as islands from fortnite.ccu where ts = %s::timestamptz",
        numbers["fortnite.ccu"]["ts"],
    )
    cycle = numbers["fortnite.ccu"]
    assert cycle["stored"] == sampled["islands"]
    # upstream withholds the count of a few
    assert int(str(cycle["stored"])) + int(str(cycle["skipped"])) == known["islands"]
    assert int(str(done["changed"])) >= int(str(sampled["islands"]))
    discovered = numbers["fortnite.discovery"]
    (placed,) = await rows("select count(*) as codes from fortnite.placement")
    assert (discovered["complete"], discovered["unread"]) == (True, 0)
    assert int(str(placed["codes"])) > 0
    (creators,) = await rows(
        "select count(*) as all, count(bulk_at) as named, count(bulk_gone_at) as unnamed,"
        " count(page_at) as paged, count(islands) as added from fortnite.creator"
        " left join fortnite.creator_now using (creator_id)"
    )
    met, named, unnamed, paged, added = (int(str(number)) for number in creators.values())
    assert named == paged > 0
    assert named + unnamed == added == met
    await elasticsearch.indices.refresh(index=f"{settings.search_prefix}island")
    found = await elasticsearch.count(index=f"{settings.search_prefix}island")
    assert found["count"] == known["islands"]
    compared = numbers["search.reconcile"]["island"]
    assert (compared["documents"], compared["examples"]) == (known["islands"], [])
    assert numbers["maintenance.rescue"] == {}
    assert numbers["maintenance.retention"]["ops.run"] == 0


async def test_the_role_of_workers_is_enough(
    database_url: str,
    conn: psycopg.AsyncConnection,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"worker_{secrets.token_hex(4)}"
    await conn.execute(f"create role {name} login password 'w' in role etl_worker".encode())
    try:
        url = database_url.partition("@")[2]
        monkeypatch.setenv("ETL_DATABASE_URL", f"postgresql://{name}:w@{url}")
        etl.settings.settings.cache_clear()
        local = [task for task in CHAIN[1:] if not task.startswith("search.")]
        async with jobs.app.open_async(), working(jobs.app, queues=["none"]):
            await until_declared(rows)
        await rows("select ops.pause('fortnite.catalogue')")
        async with jobs.app.open_async(), working(jobs.app, queues=["fortnite", "maintenance"]):
            for task in local:
                await run(rows, task)
    finally:
        await conn.execute(f"drop role {name}".encode())
