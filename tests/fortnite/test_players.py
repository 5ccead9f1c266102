"""Who creators are, fetched from the simulator: found, gone, hostile, refused."""

import re

import pytest

from etl.engine import http
from etl.engine.database import Database
from etl.engine.errors import Refused
from etl.engine.resource import DOUBTED
from etl.fortnite.islands import refresh_islands
from etl.fortnite.players import CreatorNumbers, refresh_creators
from etl.settings import Settings
from etl.simulator.process import Running
from tests.fortnite.samples import crawled

pytestmark = pytest.mark.asyncio(loop_scope="session")

HANDLES = ("discord", "instagram", "tiktok", "twitch", "twitter", "youtube")
DUE = "update engine.crawl set due_at = now() where resource <> 'fortnite.island'"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


async def known(db: Database, settings: Settings, sim: Running, count: int) -> None:
    """Islands with their details, and with them whose they are."""
    codes = await sim.codes(limit=count)
    await db.execute("select fortnite.meet_islands(%s::text[], 'entries', now())", (codes,))
    await refresh_islands(db, settings, count)


async def test_creators_are_met_through_islands_named_and_their_pages_read(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await known(sim_db, sim_options, sim, 200)
    before = (await sim.state())["served"]
    numbers = await refresh_creators(sim_db, sim_options)
    rows = await sim_db.fetch(
        "select c.*, i.creator_account_id as owner, n.followers, d.body, b.body as bulk "
        "from fortnite.creator as c join fortnite.island as i on i.island_id = c.met_island_id "
        "left join fortnite.creator_now as n using (creator_id) "
        "left join raw.document as d on d.key = c.account_id "
        "and d.resource = 'fortnite.player_page' "
        "left join raw.document as b on b.key = c.account_id and b.resource = 'fortnite.creator'"
    )
    owners = await sim_db.fetch("select distinct creator_account_id as a from fortnite.island")
    assert {row["account_id"] for row in rows} == {row["a"] for row in owners}
    assert numbers.met == len(rows) > 90
    assert all(row["owner"] == row["account_id"] for row in rows)
    assert {row["source"] for row in rows} == {"entries"}
    there = [row for row in rows if row["gone_at"] is None]
    assert len(rows) > len(there) == numbers.bulk.landed == numbers.pages.landed
    assert numbers.bulk.missing == numbers.pages.missing == len(rows) - len(there)
    served = (await sim.state())["served"]
    assert served["players"] - before.get("players", 0) == -(-len(rows) // 100)
    assert numbers.followers == len(there)
    for row in there:
        body, bulk = row["body"], row["bulk"]
        assert row["display_name"] == body["displayName"] == bulk["displayName"]
        assert (row["bio"], row["followers"]) == (body["bio"], body["followerCount"])
        assert row["avatar_url"] in (body["images"]["avatar"], None)
        for name in HANDLES:
            said = body["social"].get("tikTok" if name == "tiktok" else name)
            assert (row[name] is None) == (said is None)
            assert row[name] is None or (row[name] in said and not re.search(r"[@?/\s]", row[name]))
    assert {body is None for body in (row["avatar_url"] for row in there)} == {True, False}
    assert (await sim_db.fetch_one("select count(*) as n from fortnite.creator_change"))["n"] == 0
    assert await refresh_creators(sim_db, sim_options) == CreatorNumbers()


async def test_who_is_left_out_and_has_no_page_is_gone_until_they_are_back(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await known(sim_db, sim_options, sim, 20)
    await refresh_creators(sim_db, sim_options)
    account = (
        await sim_db.fetch("select account_id from fortnite.creator where page_at > '-infinity'")
    )[0]["account_id"]
    alone = "update engine.crawl set due_at = case when key = %s then now() else 'infinity' end"
    gone = "select gone_at is not null as gone, display_name from fortnite.creator where account_id = %s"
    await sim_db.execute(f"{alone} where resource = 'fortnite.creator'", (account,))
    await sim.fault("players", "vanish", codes=[account])
    await sim.fault("player", "not_found", times=1)
    numbers = await refresh_creators(sim_db, sim_options)
    # the page was not due: that the bulk route leaves its creator out made it so
    assert (numbers.bulk.missing, numbers.pages.missing) == (1, 1)
    assert (await sim_db.fetch_one(gone, (account,)))["gone"]
    for resource in ("fortnite.creator", "fortnite.player_page"):
        assert (await crawled(sim_db, resource))[account]["state"] == "gone"
    await sim.clear_faults()
    await sim_db.execute(alone, (account,))
    assert (await refresh_creators(sim_db, sim_options)).pages.landed == 1
    row = await sim_db.fetch_one(gone, (account,))
    assert not row["gone"]
    log = await sim_db.fetch("select fields from fortnite.creator_change order by change_id")
    assert [row["fields"] for row in log] == [["gone_at"], ["gone_at"]]


@pytest.mark.parametrize("kind", ["types", "nul", "surrogate", "nan", "huge", "shape", "duplicate"])
async def test_one_bad_item_of_either_route_costs_nobody_else(
    sim_db: Database, sim_options: Settings, sim: Running, kind: str
) -> None:
    await known(sim_db, sim_options, sim, 20)
    await sim_db.execute("select fortnite.meet_creators()")
    account = min(await crawled(sim_db, "fortnite.player_page"))
    for route in ("players", "player"):
        await sim.fault(route, kind, codes=[account], times=1)
    numbers = await refresh_creators(sim_db, sim_options)
    met = len(await crawled(sim_db, "fortnite.creator"))
    if kind == "duplicate":
        assert numbers.bulk.landed + numbers.bulk.missing == met
        return
    rejected = await sim_db.fetch("select resource, key from raw.rejected order by resource")
    bulk_tells_numbers = kind != "nan"  # there is none in the bulk route
    owner = None if kind == "shape" else account
    assert [(row["resource"], row["key"]) for row in rejected] == [
        ("fortnite.creator", owner)
    ] * bulk_tells_numbers + [("fortnite.player_page", account)]
    assert numbers.pages.landed + numbers.pages.missing == met - 1
    page = (await crawled(sim_db, "fortnite.player_page"))[account]
    assert (page["attempts"], page["due"]) == (1, False)
    await sim_db.execute(DUE)
    again = await refresh_creators(sim_db, sim_options)
    assert again.pages.landed + again.pages.missing == met


@pytest.mark.parametrize("route", ["players", "player"])
@pytest.mark.parametrize("kind", ["throttle", "error", "empty", "html", "wrong", "cut"])
async def test_a_request_that_fails_blames_no_creator(
    sim_db: Database, sim_options: Settings, sim: Running, route: str, kind: str
) -> None:
    await known(sim_db, sim_options, sim, 5)
    quick = sim_options.model_copy(update={"http_retries": 0})
    more = {"retry_after": 400} if kind == "throttle" else {}
    await sim.fault(route, kind, **more)
    numbers = await refresh_creators(sim_db, quick)
    if (route, kind) == ("player", "wrong"):
        assert numbers.pages.rejected == numbers.met  # each is a page of a wrong shape
        return
    failed = numbers.bulk if route == "players" else numbers.pages
    assert (failed.landed, failed.rejected) == (0, 0)
    assert failed.failed > 0
    name = "fortnite.creator" if route == "players" else "fortnite.player_page"
    for row in (await crawled(sim_db, name)).values():
        assert (row["attempts"], row["state"], row["last_error"]) == (0, "active", None)


@pytest.mark.parametrize(("kind", "more"), [("error", {"status": 403}), ("not_found", {})])
async def test_a_service_that_refuses_one_after_another_is_asked_no_more(
    sim_db: Database, sim_options: Settings, sim: Running, kind: str, more: dict[str, int]
) -> None:
    await known(sim_db, sim_options, sim, 100)
    there = (await refresh_creators(sim_db, sim_options)).pages.landed
    assert there > 20
    await sim_db.execute(DUE)
    await sim.fault("player", kind, **more)
    before = (await sim.state())["served"]["player"]
    with pytest.raises(Refused):
        await refresh_creators(sim_db, sim_options)
    assert (await sim.state())["served"]["player"] - before < 2 * DOUBTED
    rows = (await crawled(sim_db, "fortnite.player_page")).values()
    assert sum(bool(row["attempts"]) for row in rows) < DOUBTED
    assert sum(row["state"] == "active" for row in rows) > there - DOUBTED
