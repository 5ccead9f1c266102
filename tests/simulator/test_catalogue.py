"""The list: pages, cursors, determinism, and what time and a test change."""

import base64
from itertools import pairwise
from urllib.parse import quote

import pytest

from etl.simulator.process import start
from tests.simulator.conftest import NOW, UNLIMITED, Client, open_client

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def whole_list(client: Client, size: int = 1000) -> list[str]:
    codes: list[str] = []
    path = f"/ecosystem/v1/islands?size={size}"
    while path:
        page = (await client.get(path)).json()
        codes += [island["code"] for island in page["data"]]
        path = page["links"]["next"]
    return codes


async def test_pages_cover_the_world_once_and_lead_back() -> None:
    async with (
        start(islands=250, seed=2, now=NOW, speed=0, limit=UNLIMITED) as running,
        open_client(running) as client,
    ):
        codes = await whole_list(client, size=70)
        assert len(codes) == len(set(codes)) == 250
        second = await client.islands(size=70, after=base64.b64encode(codes[69].encode()).decode())
        assert [island["code"] for island in second["data"]] == codes[70:140]
        back = (await client.get(second["links"]["prev"])).json()
        assert [island["code"] for island in back["data"]] == codes[:70]
        assert back["links"]["prev"] is None
        cursor = second["meta"]["page"]["nextCursor"]
        assert base64.b64decode(cursor).decode() == codes[139]
        assert second["links"]["next"].endswith(f"islands?after={quote(cursor, safe='')}&size=70")


async def test_list_is_newest_first(client: Client) -> None:
    links = (await client.links(*await client.codes(100))).json()
    published = [body["published"] for body in links]
    assert published == sorted(published, reverse=True)
    assert len(set(published)) == 100


async def test_page_holds_a_hundred_unless_asked_otherwise(client: Client) -> None:
    assert [(await client.islands(**given))["meta"]["count"] for given in ({}, {"size": 7})] == [
        100,
        7,
    ]


@pytest.mark.parametrize(
    "params", [{"size": 0}, {"size": 1001}, {"size": "many"}, {"after": "%%"}, {"after": "MTIz"}]
)
async def test_page_that_cannot_be_is_refused(client: Client, params: dict[str, str | int]) -> None:
    answer = await client.get("/ecosystem/v1/islands", **params)
    assert answer.status_code == 400
    assert answer.json()["errorCode"].endswith("bad_request")


async def test_same_seed_and_instant_give_the_same_bytes(client: Client) -> None:
    asked = ("/ecosystem/v1/islands?size=1000",)
    codes = await client.codes(100)
    async with (
        start(islands=3000, seed=7, now=NOW, speed=0, limit=UNLIMITED) as running,
        open_client(running) as twin,
    ):
        for path in asked:
            assert (await client.get(path)).content == (await twin.get(path)).content
        assert (await client.links(*codes)).content == (await twin.links(*codes)).content
        assert (await client.entries(*codes)).content == (await twin.entries(*codes)).content
    async with (
        start(islands=3000, seed=8, now=NOW, speed=0, limit=UNLIMITED) as running,
        open_client(running) as other,
    ):
        assert not set(await other.codes(1000)) & set(await client.codes(1000))


async def test_restarted_later_the_world_has_moved_on_and_is_the_same(client: Client) -> None:
    later = "2026-11-03T18:00:00Z"
    async with (
        start(islands=3000, seed=7, now=later, speed=0, limit=UNLIMITED) as running,
        open_client(running) as moved,
    ):
        before, after = await whole_list(client), await whole_list(moved)
        fresh = after.index(before[0])
        assert fresh > 0
        assert after[fresh:] == before[: len(before) - fresh]
        await client.sim.clock(now=later)
        assert (await client.links(*after[:100])).content == (
            await moved.links(*after[:100])
        ).content


async def test_clock_releases_islands_at_the_given_rate() -> None:
    async with start(islands=100, now=NOW, speed=0, growth=24) as running:
        assert (await running.state())["listed"] == 100
        state = await running.clock(now="2026-11-03T18:00:00Z")
        assert abs(state["listed"] - 148) <= 1
        state = await running.clock(speed=86_400)
        assert state["speed"] == 86_400


async def test_vanished_island_is_nowhere_until_it_is_restored(client: Client) -> None:
    first, second, third = await client.codes(3)
    account = (await client.sim.truth(second))["account"]
    await client.sim.vanish(second)
    try:
        assert (await client.codes(2)) == [first, third]
        assert (await client.get(f"/ecosystem/v1/islands/{second}")).status_code == 404
        assert [b["mnemonic"] for b in (await client.links(first, second)).json()] == [first]
        assert list((await client.entries(first, second)).json()) == [first]
        page = (await client.creator(account)).json()
        assert second not in [link["linkCode"] for link in page["links"]]
        assert (await client.sim.truth(second))["vanished"]
    finally:
        await client.sim.restore(second)
    assert (await client.codes(3)) == [first, second, third]


async def test_added_islands_lead_the_list_and_pages_stay_whole() -> None:
    async with (
        start(islands=30, seed=3, now=NOW, speed=0, growth=1000, limit=UNLIMITED) as running,
        open_client(running) as client,
    ):
        old = await whole_list(client)
        added = await running.add(5)
        assert await whole_list(client, size=4) == [*reversed(added), *old]
        await running.clock(now="2026-11-01T18:10:00Z")
        more = await whole_list(client, size=4)
        assert more[-35:] == [*reversed(added), *old]
        assert len(more) > 35
        cursor = base64.b64encode(more[-33].encode()).decode()
        before = await client.islands(size=6, before=cursor)
        assert [island["code"] for island in before["data"]] == more[-39:-33]
        account = (await running.truth(added[0]))["account"]
        page = (await client.creator(account)).json()
        assert added[0] in [link["linkCode"] for link in page["links"]]


async def test_stated_share_of_islands_changes_version_title_and_tags() -> None:
    async with (
        start(islands=400, seed=4, now=NOW, speed=0, limit=UNLIMITED) as running,
        open_client(running) as client,
    ):
        codes = await whole_list(client)
        before = [
            body
            for n in range(0, 400, 100)
            for body in (await client.links(*codes[n : n + 100])).json()
        ]
        await running.change(share=0.25)
        after = [
            body
            for n in range(0, 400, 100)
            for body in (await client.links(*codes[n : n + 100])).json()
        ]
        changed = [(b, a) for b, a in zip(before, after, strict=True) if b != a]
        assert 70 <= len(changed) <= 130
        for old, new in changed:
            assert new["version"] == old["version"] + 1
            assert new["metadata"]["title"] != old["metadata"]["title"]
            assert new["descriptionTags"] != old["descriptionTags"]
            assert new["lastActivatedDate"] > old["lastActivatedDate"]
            assert new["updated"] > old["updated"]


async def test_named_islands_change_the_named_field_each_time() -> None:
    async with (
        start(islands=50, seed=5, now=NOW, speed=0, limit=UNLIMITED) as running,
        open_client(running) as client,
    ):
        code, other = await client.codes(2)
        seen = [(await running.truth(code))["title"]]
        for _ in range(15):
            await running.change(codes=[code], fields=["title"])
            seen.append((await running.truth(code))["title"])
        assert all(a != b for a, b in pairwise(seen))
        assert all(len(title) <= 40 for title in seen)
        links = {body["mnemonic"]: body for body in (await client.links(code, other)).json()}
        assert links[code]["metadata"]["title"] == seen[-1]
        assert links[code]["version"] == (await running.truth(code))["version"]
