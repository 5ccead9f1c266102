"""Player pages have the shapes that were recorded, and move as real ones do."""

import json

import pytest

from tests.data import recorded
from tests.simulator.conftest import NOW, Client
from tests.simulator.test_shapes import paths

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def accounts(client: Client, count: int = 100) -> list[str]:
    links = (await client.links(*await client.codes(count))).json()
    return sorted({body["accountId"] for body in links})


async def test_pages_and_the_bulk_route_have_the_recorded_shape(client: Client) -> None:
    wanted = (await accounts(client, 100))[:60]
    example = json.loads(recorded("examples/pops_page_bulk.json").read_text())
    listed = (await client.players(*wanted)).json()
    assert dict(paths(listed)) == dict(paths(example)) | {
        ".results": "list",
        ".results[].images.banner": "NoneType",
    }
    entries = {entry["playerId"]: entry for entry in listed["results"]}
    assert 0.9 * len(wanted) < len(entries) < len(wanted)
    known = {
        place: kind
        for name in ("examples/pops_page.json", "creators/pops-page.json")
        for place, kind in paths(json.loads(recorded(name).read_text()))
    }
    bios = set()
    for account in wanted:
        answer = await client.get(f"/page/v1/{account}")
        assert (answer.status_code == 404) == (account not in entries)
        if answer.status_code == 404:
            assert answer.json()["errorCode"].startswith("errors.com.epicgames.")
            continue
        body = answer.json()
        bios.add(type(body["bio"]).__name__)
        shape = {place: kind for place, kind in paths(body) if not place.startswith(".social")}
        expected = {p: k for p, k in known.items() if not p.startswith(".social")}
        assert shape | {".bio": "str"} == expected
        assert {place for place, _ in paths(body["social"], ".social")} <= set(known)
        assert entries[account]["displayName"] == body["displayName"]
        assert entries[account]["images"]["avatar"] == body["images"]["avatar"]
    assert bios == {"str", "NoneType"}


async def test_a_page_stays_what_it_is_while_followers_and_default_images_move(
    client: Client,
) -> None:
    pages = {}
    wanted = await accounts(client, 60)
    for now in (NOW, "2026-11-02T18:00:00Z", "2027-11-01T18:00:00Z"):
        await client.sim.clock(now)
        pages[now] = {
            account: answer.json()
            for account in wanted
            if (answer := await client.get(f"/page/v1/{account}")).status_code == 200
        }
    first, next_day, next_year = pages.values()
    both = first.keys() & next_day.keys()
    assert len(both) > 20
    assert all(first[a]["followerCount"] <= next_day[a]["followerCount"] for a in both)
    moved = [
        (first[a]["images"]["banner"], next_day[a]["images"]["banner"])
        for a in both
        if "creatorprofile" in first[a]["images"]["banner"]
    ]
    assert moved
    assert all(before != after and "creatorprofile" in after for before, after in moved)
    same = [a for a in both if first[a]["bio"] == next_day[a]["bio"]]
    assert len(same) > 0.8 * len(both)
    later = first.keys() & next_year.keys()
    changed = [a for a in later if first[a]["displayName"] != next_year[a]["displayName"]]
    assert changed


async def test_what_cannot_be_asked_is_refused(client: Client) -> None:
    wanted = await accounts(client, 5)
    assert (await client.players(*["x"] * 101)).status_code == 400
    assert (await client.players("x", "epic")).json() == {"results": []}
    assert (await client.get("/page/v1/epic")).status_code == 404
    client.bearer = ""
    assert (await client.players(*wanted)).status_code == 401
    assert (await client.get(f"/page/v1/{wanted[0]}")).status_code == 401
    await client.log_in()
    assert (
        await client.players(*wanted, playerId="somebody")
    ).status_code == 200  # a client's own token
