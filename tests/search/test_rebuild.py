"""An index built again beside the one that is searched, while everything changes; and the way back."""

import asyncio
import signal

import pytest

from etl.engine.database import Database
from etl.errors import PlainError
from etl.search import bulk, rebuild
from etl.search import sync as steps
from etl.search.bulk import Chunk
from etl.search.client import SearchUnavailable, open_elasticsearch
from etl.search.fill import fill
from etl.search.indices import alias, ensure, promote
from etl.search.sync import sync
from etl.settings import Settings
from tests.commands import ETL, environment, run_etl, variables
from tests.search.proxy import line
from tests.search.world import World
from tests.wire import Request

TARGETS = "select * from search.target where index = 'island' order by created_at"
IDS = [f"{number:05d}" for number in range(2000)]


async def live(world: World) -> str:
    """The physical index that readers search."""
    (name,) = await world.es.indices.get_alias(name=alias("island", world.settings))
    return str(name)


async def rebuilt(world: World, options: Settings | None = None) -> str:
    """Build the index again, to the end."""
    chosen = options or world.settings
    physical = await rebuild.demand(world.db, world.es, chosen, "island")
    await rebuild.until_live(world.db, world.es, chosen, "island", physical)
    return physical


async def rolled_back(world: World) -> str:
    physical = await rebuild.roll_back(world.db, world.settings, "island")
    await rebuild.until_live(world.db, world.es, world.settings, "island", physical)
    return physical


async def test_new_index_takes_the_place_of_a_full_one_and_readers_notice_nothing(
    world: World,
) -> None:
    await world.island(*IDS[:40])
    await sync(world.db, world.es, world.settings)
    before = await live(world)
    small = world.settings.model_copy(update={"search_batch": 7})
    await world.es.indices.refresh(index=before)
    seen, told, stopped = set[int](), list[int](), asyncio.Event()

    async def read() -> None:
        while not stopped.is_set():
            answer = await world.es.search(index=alias("island", small), size=0)
            seen.add(answer["hits"]["total"]["value"])

    reader = asyncio.create_task(read())
    physical = await rebuild.demand(world.db, world.es, small, "island")
    assert await rebuild.extent(world.db, "island", physical) == (40, 0)
    making = await world.es.indices.get_settings(index=physical)
    assert making[physical]["settings"]["index"]["refresh_interval"] == "-1"
    await rebuild.until_live(world.db, world.es, small, "island", physical, progress=told.append)
    stopped.set()
    await reader
    assert seen == {40}
    assert sorted(told) == [5, 7, 7, 7, 7, 7]
    assert await live(world) == physical != before
    made = (await world.es.indices.get_settings(index=physical))[physical]["settings"]["index"]
    assert "refresh_interval" not in made
    assert made["auto_expand_replicas"] == "0-1"
    assert await world.is_equal()
    assert await slices(world.db) == 0


async def test_index_is_being_filled_until_its_last_slice_ends(world: World) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    physical = await rebuild.demand(world.db, world.es, world.settings, "island")
    to_fill = "select to_fill from ops.search_lag where index = 'island'"
    cut = await world.db.fetch_one(
        "select * from search.cut('island', %s, 10, interval '1 minute')", (physical,)
    )
    assert len(cut["ids"]) == 2
    assert (await world.db.fetch_one(to_fill))["to_fill"]
    await world.db.execute(
        "select search.finish_slice('island', %s, %s, 2)", (physical, cut["slice"])
    )
    assert not (await world.db.fetch_one(to_fill))["to_fill"]


@pytest.mark.parametrize("moment", ["cut", "read", "sent"])
@pytest.mark.parametrize("change", ["title = 'new'", "gone_at = now()"])
async def test_change_and_a_sync_at_any_point_of_a_slice(
    world: World, moment: str, change: str
) -> None:
    await world.island("1", "2", title="old")
    await sync(world.db, world.es, world.settings)
    physical = await rebuild.demand(world.db, world.es, world.settings, "island")

    async def meanwhile(now: str) -> None:
        if now == moment:
            await world.change(change, "1")
            await sync(world.db, world.es, world.settings, limit=100)

    cut = await world.db.fetch_one(
        "select * from search.cut('island', %s, 10, interval '1 minute')", (physical,)
    )
    await meanwhile("cut")
    body = await world.db.fetch_one(
        "select * from search.read('island', %s, %s)", (cut["ids"], cut["version"])
    )
    await meanwhile("read")
    chunk = Chunk([*body["ids"], *body["gone"]], body["body"])
    until = asyncio.get_running_loop().time() + 30
    await bulk.send(world.es, physical, chunk, size=100_000, until=until)
    await meanwhile("sent")
    await world.db.execute(
        "select search.finish_slice('island', %s, %s, 2)", (physical, cut["slice"])
    )
    assert await promote(world.db, world.es, world.settings, "island")
    assert await live(world) == physical
    assert await world.is_equal()


async def test_change_in_the_hands_of_a_sync_from_before_reaches_the_new_index(
    world: World,
) -> None:
    await world.island("1", "2", title="old")
    await sync(world.db, world.es, world.settings)
    await world.change("title = 'new'", "1")
    held = await steps.lease(world.db, world.settings, "island", 10)
    assert held is not None
    physical = await rebuild.demand(world.db, world.es, world.settings, "island")
    await fill(world.db, world.es, world.settings, "island")
    batch = await steps.read(world.db, held, await steps.draw(world.db))
    await steps.settle(world.db, held, await steps.send(world.es, world.settings, held, batch))
    await rebuild.until_live(world.db, world.es, world.settings, "island", physical)
    assert await world.is_equal()


async def test_slice_taken_up_again_when_all_its_documents_have_gone(world: World) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    physical = await rebuild.demand(world.db, world.es, world.settings, "island")
    cut = "select * from search.cut('island', %s, 10, interval '0')"
    assert (await world.db.fetch_one(cut, (physical,)))["ids"] == ["1", "2"]
    await world.change("gone_at = now()", "1", "2")
    await rebuild.until_live(world.db, world.es, world.settings, "island", physical)
    assert await live(world) == physical
    assert await world.found() == {}


async def test_slice_that_has_grown_is_left_to_the_sync_in_parts(world: World) -> None:
    """As one may that is taken up again, and more than one transaction marks."""
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    physical = await rebuild.demand(world.db, world.es, world.settings, "island")
    cut = "select * from search.cut('island', %s, 2, interval '0')"
    assert (await world.db.fetch_one(cut, (physical,)))["ids"] == ["1", "2"]
    await world.db.execute(
        "insert into fortnite.island (code, source, first_seen_at, title)"
        " select '1-' || n, 'catalogue', now(), 'An island' from generate_series(1, 5000) as n"
    )
    await world.es.index(
        index=physical, id="1", document={}, version=10**17, version_type="external"
    )
    await fill(world.db, world.es, world.settings, "island")
    assert await world.pending() == 5002


async def test_index_that_is_adopted_while_it_was_being_built_has_no_slices_left(
    world: World,
) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    lost = await live(world)
    built = await rebuild.demand(world.db, world.es, world.settings, "island")
    await world.db.fetch("select * from search.cut('island', %s, 2, interval '60 s')", (built,))
    assert await slices(world.db) == 1
    await world.db.fetch("select search.adopt('island', %s, %s)", (lost, built))
    assert await slices(world.db) == 0


async def test_killed_rebuild_goes_on_where_it_was(world: World) -> None:
    options = world.settings.model_copy(update={"search_batch": 20, "search_lease": 1.0})
    await world.island(*IDS)
    await sync(world.db, world.es, world.settings)
    process = await asyncio.create_subprocess_exec(
        ETL, "search", "rebuild", "island",
        env=environment(variables(options)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    while not await filled(world.db):
        assert process.returncode is None, "it ended before it was killed"
        await asyncio.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    came_to = await filled(world.db)
    assert 0 < came_to < len(IDS)
    await world.change("title = 'Later'", *IDS[::100])
    await world.change("gone_at = now()", *IDS[50::100])
    done = run_etl("search", "rebuild", "island", env=variables(options))
    assert (done.returncode, await world.is_equal()) == (0, True), done.stderr
    old, new = await world.db.fetch(TARGETS)
    assert done.stdout == f"island is {new['physical']} now\n"
    # nothing was sent twice but what was in its hands: each slice is counted once
    assert len(IDS) - 20 <= new["filled"] <= len(IDS)
    done = run_etl("search", "rollback", "island", env=variables(world.settings))
    assert (done.returncode, done.stdout) == (0, f"island is {old['physical']} now\n")
    assert await world.is_equal()


async def filled(db: Database) -> int:
    """Documents that the index being built has so far."""
    row = await db.fetch_one(
        "select coalesce(max(filled), 0) as n from search.target where state = 'building'"
    )
    return int(row["n"])


async def slices(db: Database) -> int:
    """Slices in somebody's hands."""
    return int((await db.fetch_one("select count(*) as n from search.slice"))["n"])


async def test_slices_are_shared_and_those_of_the_dead_come_back(world: World) -> None:
    await world.island(*IDS[:6])
    await ensure(world.db, world.es, world.settings)
    (target,) = await world.db.fetch(TARGETS)
    cut = "select * from search.cut('island', %s, 2, make_interval(secs => %s))"
    first, second, third = [
        await world.db.fetch_one(cut, (target["physical"], seconds)) for seconds in (60, 0, 60)
    ]
    # The second ran out at once: the third is the same slice again, under a later version.
    assert (first["ids"], second["ids"]) == (IDS[:2], IDS[2:4])
    assert (third["slice"], third["ids"]) == (second["slice"], second["ids"])
    assert first["version"] < second["version"] < third["version"]
    finish = "select search.finish_slice('island', %s, %s, 2)"
    for each in (second, third, first):
        await world.db.execute(finish, (target["physical"], each["slice"]))
    (target,) = await world.db.fetch(TARGETS)
    assert (target["filled"], target["filled_at"]) == (4, None)
    # An index that was lost meanwhile begins anew, and nobody who comes late ends its slices.
    last = await world.db.fetch_one(cut, (target["physical"], 60))
    await world.db.execute("select search.refill('island', %s)", (target["physical"],))
    await world.db.fetch(cut, (target["physical"], 60))
    await world.db.execute(finish, (target["physical"], last["slice"]))
    (target,) = await world.db.fetch(TARGETS)
    assert (target["filled"], target["filled_at"]) == (0, None)
    assert await slices(world.db) == 1


async def test_refused_document_is_parked_by_the_sync_and_does_not_stop_the_rebuild(
    world: World,
) -> None:
    await world.island("1", "2", "3")
    await world.change("published_at = 'infinity'", "2")
    await sync(world.db, world.es, world.settings)
    await rebuilt(world)
    assert set(await world.found()) == {"1", "3"}
    (parked,) = await world.db.fetch("select id from search.rejected")
    assert parked == {"id": "2"}


async def test_rollback_brings_the_old_index_up_to_date_first_and_stays(world: World) -> None:
    await world.island(*IDS[:10], title="old")
    await sync(world.db, world.es, world.settings)
    old = await live(world)
    new = await rebuilt(world)
    await world.change("title = 'changed since'", *IDS[:3])
    await world.change("gone_at = now()", IDS[3])
    await world.island("later")
    await sync(world.db, world.es, world.settings)
    # In the hands of a sync that knows nothing of the old index, and marked again after it.
    await world.change("title = 'held'", IDS[4])
    held = await steps.lease(world.db, world.settings, "island", 10)
    assert held is not None
    physical = await rebuild.roll_back(world.db, world.settings, "island")
    assert physical == old
    rebuilding = asyncio.create_task(
        rebuild.until_live(world.db, world.es, world.settings, "island", old)
    )
    batch = await steps.read(world.db, held, await steps.draw(world.db))
    await steps.settle(world.db, held, await steps.send(world.es, world.settings, held, batch))
    await rebuilding
    assert await live(world) == old
    assert await world.is_equal()
    for _ in range(2):
        turned = await rebuild.turn(world.db, world.es, world.settings, "island", 10)
        assert turned == rebuild.Turn()
    assert await live(world) == old
    await world.change("title = 'after it'", *IDS[5:8])
    await sync(world.db, world.es, world.settings)
    # And forward again by the same command.
    assert await rolled_back(world) == new
    assert await live(world) == new
    assert await world.is_equal()


async def test_rollback_that_died_goes_on_as_a_job(world: World) -> None:
    await world.island(*IDS[:5])
    await sync(world.db, world.es, world.settings)
    old = await live(world)
    await rebuilt(world)
    await world.change("title = 'changed since'", *IDS[:3])
    await sync(world.db, world.es, world.settings)
    await rebuild.roll_back(world.db, world.settings, "island")
    assert await rebuild.roll_back(world.db, world.settings, "island") == old
    await rebuild.turn(world.db, world.es, world.settings, "island", 10)
    assert await live(world) != old
    await sync(world.db, world.es, world.settings, limit=100)
    assert await live(world) == old
    assert await world.is_equal()


async def test_nothing_to_roll_back_to_is_said(world: World) -> None:
    await sync(world.db, world.es, world.settings)
    with pytest.raises(PlainError, match="ETL_SEARCH_KEEP_HOURS"):
        await rebuild.roll_back(world.db, world.settings, "island")


@pytest.mark.parametrize("cut", ["cut before", "cut after"])
async def test_alias_switch_that_was_cut_off_is_finished_by_the_next_sync(
    world: World, cut: str
) -> None:
    await world.island("1", "2")
    await sync(world.db, world.es, world.settings)
    before = await live(world)

    def fault(request: Request) -> str | None:
        return cut if "/_aliases" in request.line else None

    async with line(world.settings) as way, open_elasticsearch(way.settings) as es:
        physical = await rebuild.demand(world.db, es, way.settings, "island")
        way.fault = fault
        with pytest.raises(SearchUnavailable):
            await rebuild.until_live(world.db, es, way.settings, "island", physical)
    assert await live(world) == (before if cut == "cut before" else physical)
    await world.island("1", title="changed after it")
    await sync(world.db, world.es, world.settings)
    assert await live(world) == physical
    assert await world.is_equal()
