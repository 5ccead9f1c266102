"""Discovery surfaces: shaped as documented, the same for the same instant, and always on the move."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from etl.simulator.shelves import PREFIX, SURFACES
from tests.simulator.conftest import Client
from tests.simulator.test_shapes import load, paths

pytestmark = pytest.mark.asyncio(loop_scope="session")

BRANCH = "++Fortnite+Release-39.30"
QUERY = {"appId": "Fortnite", "stream": BRANCH}
FRONTEND = f"{PREFIX}Frontend"
AT = datetime(2026, 11, 1, 18, tzinfo=UTC)


class Visitor:
    """A player who looks at discovery."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.headers: dict[str, str] = {}

    async def enter(self) -> dict[str, Any]:
        path = f"/fortnite/api/discovery/accessToken/{BRANCH.replace('+', '%2B')}"
        token: dict[str, Any] = (await self.client.get(path)).json()
        self.headers = {
            "Authorization": f"Bearer {self.client.bearer}",
            "X-Epic-Access-Token": token["token"],
        }
        return token

    async def post(self, path: str, **body: object) -> httpx.Response:
        full = f"/api/v2/discovery/surface/{path}"
        return await self.client.http.post(full, json=body, params=QUERY, headers=self.headers)

    async def main(self, surface: str = FRONTEND, region: str = "EU") -> dict[str, Any]:
        shown: dict[str, Any] = (await self.post(surface, matchmakingRegion=region)).json()
        return shown

    async def codes(self, surface: str = FRONTEND, region: str = "EU") -> dict[str, list[str]]:
        """Codes by panel, all pages."""
        main = await self.main(surface, region)
        found = {}
        for panel in main["panels"]:
            page, index, entries = panel["firstPage"], 0, []
            while True:
                entries += page["results"]
                if not page["hasMore"]:
                    break
                index += 1
                asked = {"panelName": panel["panelName"], "pageIndex": index}
                variant = {"testVariantName": main["testVariantName"], "matchmakingRegion": region}
                page = (await self.post(f"{surface}/page", **asked, **variant)).json()
            found[panel["panelName"]] = [entry["linkCode"] for entry in entries]
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(client: Client) -> AsyncIterator[Visitor]:
    await client.sim.limits(surfaces=None)
    made = Visitor(client)
    await made.enter()
    yield made


async def test_answers_have_the_documented_shape(visitor: Visitor) -> None:
    assert dict(paths(await visitor.enter())) == dict(
        paths(load("examples/discovery_access_token.json"))
    )
    example = load("examples/discovery_v2_main.json")
    main = await visitor.main()
    # A player's own visits, which the example has, are none of ours; a panel may have no name shown.
    own = {".panels[].firstPage.results[].lastVisited": "NoneType"}
    assert dict(paths(main)) | own == dict(paths(example)) | own
    panel = next(p for p in main["panels"] if p["firstPage"]["hasMore"])
    request = load("examples/discovery_v2_page.request.json")
    asked = {"testVariantName": main["testVariantName"], "panelName": panel["panelName"]}
    page = (await visitor.post(f"{FRONTEND}/page", **(request | asked | {"pageIndex": 1}))).json()
    assert dict(paths(page)) == dict(paths(load("examples/discovery_v2_page.json")))


async def test_every_surface_is_the_same_at_the_same_instant(visitor: Visitor) -> None:
    await visitor.client.sim.clock(now=AT.isoformat())
    shorts = ("Frontend", "DelMar_TrackAndExperience", "EpicPage", "CreatorPage")
    first = {short: await visitor.codes(f"{PREFIX}{short}") for short in shorts}
    await visitor.client.sim.clock(now=(AT + timedelta(days=3)).isoformat())
    assert await visitor.codes() != first["Frontend"]
    await visitor.client.sim.clock(now=AT.isoformat())
    for short, panels in first.items():
        assert await visitor.codes(f"{PREFIX}{short}") == panels
        for codes in panels.values():
            assert len(set(codes)) == len(codes) <= SURFACES[short][1]
    assert await visitor.codes(region="NAE") != first["Frontend"]
    flat = [code for panels in first.values() for codes in panels.values() for code in codes]
    islands = [code for code in flat if code[0].isdigit()]
    assert 0.8 < len(islands) / len(flat) < 1
    for code in islands[:5]:
        assert await visitor.client.sim.truth(code)


async def test_islands_enter_move_and_leave_and_panels_come_and_go(visitor: Visitor) -> None:
    happened = set()
    before: dict[str, list[str]] | None = None
    for step in range(6):
        await visitor.client.sim.clock(now=(AT + step * timedelta(minutes=10)).isoformat())
        shown = await visitor.codes()
        for panel, codes in shown.items():
            old = before.get(panel) if before else None
            if old is not None:
                happened |= {"enter"} if set(codes) - set(old) else set()
                happened |= {"leave"} if set(old) - set(codes) else set()
                both = [code for code in codes if code in old]
                happened |= {"move"} if both != [c for c in old if c in both] else set()
        before = shown
    assert happened == {"enter", "move", "leave"}
    panels, titles = set(), set()
    for day in range(0, 12, 2):
        await visitor.client.sim.clock(now=(AT + timedelta(days=day)).isoformat())
        main = await visitor.main(f"{PREFIX}Browse")
        panels.add(tuple(p["panelName"] for p in main["panels"]))
        titles |= {(p["panelName"], p["panelDisplayName"]) for p in main["panels"]}
    assert len(panels) > 1
    assert len(titles) > len({name for name, _ in titles})


async def test_an_island_that_is_gone_stands_nowhere(visitor: Visitor) -> None:
    shown = await visitor.codes()
    code = next(c for codes in shown.values() for c in codes if c[0].isdigit())
    await visitor.client.sim.vanish(code)
    try:
        assert code not in {c for codes in (await visitor.codes()).values() for c in codes}
    finally:
        await visitor.client.sim.restore(code)


async def test_what_is_asked_wrongly_is_refused(visitor: Visitor) -> None:
    main = await visitor.main()
    name, variant = main["panels"][0]["panelName"], main["testVariantName"]
    page = f"{FRONTEND}/page"
    good = {"panelName": name, "testVariantName": variant, "matchmakingRegion": "EU"}
    asked: list[tuple[int, str, dict[str, object]]] = [
        (404, f"{PREFIX}Nowhere", {}),
        (404, "Frontend", {}),
        (400, FRONTEND, {"matchmakingRegion": 7}),
        (400, page, good | {"pageIndex": -1}),
        (400, page, good | {"pageIndex": "one"}),
        (400, page, good | {"testVariantName": "Other"}),
        (404, page, good | {"panelName": "Other"}),
        (200, page, good | {"pageIndex": 99}),
    ]
    for status, path, body in asked:
        assert (await visitor.post(path, **body)).status_code == status, (path, body)
    visitor.headers["X-Epic-Access-Token"] = "other"
    assert (await visitor.post(FRONTEND)).status_code == 403
    del visitor.headers["Authorization"]
    assert (await visitor.post(FRONTEND)).status_code == 401


async def test_faults_strike_surfaces(visitor: Visitor) -> None:
    sim = visitor.client.sim
    main = await visitor.main()
    entries = main["panels"][0]["firstPage"]["results"]
    code = entries[0]["linkCode"]
    await sim.fault("surface", "duplicate", codes=[code])
    twice = (await visitor.main())["panels"][0]["firstPage"]["results"]
    assert [entry["linkCode"] for entry in twice[:2]] == [code, code]
    await sim.clear_faults()
    await sim.fault("surface", "nul")
    assert "\0" in json.dumps(await visitor.main(), ensure_ascii=False).replace("\\u0000", "\0")
    await sim.clear_faults()
    await sim.fault("surface_page", "error", status=503)
    await sim.fault("access_token", "empty")
    wanted = {"testVariantName": main["testVariantName"], "matchmakingRegion": "EU"}
    panel = {"panelName": main["panels"][0]["panelName"], "pageIndex": 0}
    assert (await visitor.post(f"{FRONTEND}/page", **wanted, **panel)).status_code == 503
    with pytest.raises(json.JSONDecodeError):
        await visitor.enter()
