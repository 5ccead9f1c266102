"""What becomes a document, and that whatever changes a row marks it."""

from datetime import timedelta

import pytest
from psycopg.rows import DictRow

from etl.engine.items import Missing
from etl.engine.landing import land
from etl.fortnite import totals
from etl.fortnite.discovery import APPLY, arguments
from etl.fortnite.panels import Panel, Read
from etl.fortnite.resources import CREATOR
from etl.fortnite.store import store
from etl.search.indices import INDICES
from etl.search.sync import sync
from tests.fortnite.samples import TS, creator
from tests.fortnite.test_apply_creator import summary
from tests.search.equal import differences, documents_of
from tests.search.world import World
from tests.search.writes import Writer

HOUR = timedelta(hours=1)


async def synced(world: World) -> None:
    await sync(world.db, world.es, world.settings)
    assert await differences(world.db, world.es, world.settings) == {}


async def shown(world: World, index: str) -> dict[str, DictRow]:
    await synced(world)
    return await documents_of(world.es, f"{world.settings.search_prefix}{index}")


async def read(world: World, hour: int, *panels: Panel) -> None:
    at = TS + hour * HOUR
    await world.db.fetch_one(APPLY, arguments(Read("S", "EU", list(panels)), at))


async def test_there_is_an_index_of_islands_creators_and_placements() -> None:
    assert INDICES == ("creator", "island", "placement")


async def test_creator_has_the_numbers_of_the_last_mark_and_leaves_when_gone(world: World) -> None:
    await creator(world.db, "maker", "a", "b")
    await world.db.execute("update fortnite.island set creator_code = 'made'")
    await land(world.db, CREATOR, [summary("maker", displayName="Mäker")], TS)
    await store(world.db, TS, "entries", {"a": 100, "b": 50})
    await totals.count(world.db)
    (found,) = (await shown(world, "creator")).values()
    told = ("account_id", "name", "folded_name", "code", "islands", "ccu", "followers")
    assert [found[name] for name in told] == ["maker", "Mäker", "maker", "made", 2, 150, None]

    await store(world.db, TS + HOUR, "entries", {"a": 105, "b": 50})
    await totals.count(world.db)
    assert await world.pending() == 1  # the island's record; 3% more are nothing of the creator
    assert (await shown(world, "creator"))["maker"]["ccu"] == 150

    await world.db.execute("select fortnite.store_followers(now(), array['maker'], array[7])")
    await store(world.db, TS + 2 * HOUR, "entries", {"a": 140})
    await totals.count(world.db)
    found = (await shown(world, "creator"))["maker"]
    assert (found["ccu"], found["followers"]) == (190, 7)

    await land(world.db, CREATOR, [Missing("maker", "left out")], TS + HOUR)
    assert await shown(world, "creator") == {}
    await land(world.db, CREATOR, [summary("maker", displayName="Back")], TS + 2 * HOUR)
    assert (await shown(world, "creator"))["maker"]["name"] == "Back"


async def test_placement_is_one_code_in_one_panel_as_long_as_it_stands_there(world: World) -> None:
    one, two = "0000-0000-0001", "0000-0000-0002"
    await read(
        world, 1, Panel("P", 1, "Pöpular", "List", {one: 1, two: 2}), Panel("Q", 2, codes={one: 1})
    )
    placements = await shown(world, "placement")
    assert len(placements) == 3
    found = next(each for each in placements.values() if each["code"] == two)
    told = (
        "surface",
        "region",
        "panel",
        "panel_name",
        "folded_panel",
        "panel_position",
        "position",
        "kind",
    )
    assert [found[name] for name in told] == [
        "S", "EU", "P", "Pöpular", "popular", 1, 2, "island",
    ]  # fmt: skip
    islands = await shown(world, "island")
    assert {code: each["discovery_panels"] for code, each in islands.items()} == {one: 2, two: 1}

    # It moves, its panel gets another name and place, and one leaves.
    await read(world, 2, Panel("Q", 1, codes={one: 1}), Panel("P", 2, "Other", "List", {two: 1}))
    placements = await shown(world, "placement")
    seen = {(each["panel_name"], each["panel_position"], each["position"], each["code"])
            for each in placements.values()}  # fmt: skip
    assert seen == {("Other", 2, 1, two), (None, 1, 1, one)}
    # The whole surface goes but for a panel that says nothing new.
    await read(world, 3, Panel("P", 1, "Other", "List", {}))
    assert await shown(world, "placement") == {}
    islands = await shown(world, "island")
    assert [each["on_discovery"] for each in islands.values()] == [False, False]


async def test_island_tells_what_it_was_marked_for(world: World) -> None:
    await store(world.db, TS, "entries", {"a": 200})
    assert (await shown(world, "island"))["a"]["ccu"] == 200
    await store(world.db, TS + HOUR, "entries", {"a": 190})
    assert await world.pending() == 0
    await world.island("a", title="sent again for its title")
    found = (await shown(world, "island"))["a"]
    assert (found["ccu"], found["title"]) == (200, "sent again for its title")
    assert found["ccu_at"] == TS.isoformat()
    # A record is told however little it is above the last.
    await store(world.db, TS + 2 * HOUR, "entries", {"a": 201})
    found = (await shown(world, "island"))["a"]
    assert (found["ccu"], found["peak"]) == (201, 201)
    # One that comes late raises the record and moves the first sample back; what is newer stays.
    await store(world.db, TS - HOUR, "entries", {"a": 1})
    found = (await shown(world, "island"))["a"]
    assert (found["ccu"], found["peak_since"]) == (201, (TS - HOUR).isoformat())


async def test_more_creators_than_one_transaction_may_mark_are_told_in_parts(world: World) -> None:
    await world.db.execute("""
        insert into fortnite.creator (account_id, source, first_seen_at)
        select 'c' || n, 'test', now() from generate_series(1, 5001) as n
    """)
    await totals.count(world.db)
    assert await world.pending() == 5001
    rows = await world.db.fetch("select sum(documents) as n from search.dirty group by xmin::text")
    assert max(row["n"] for row in rows) == 5000
    await world.db.execute("delete from search.dirty")
    await totals.count(world.db)
    assert await world.pending() == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_the_pipelines_write_marks_what_it_changes(world: World, seed: int) -> None:
    writer = Writer(world.db, seed)
    for _ in range(6):
        for _ in range(12):
            await writer.turn()
        await synced(world)
