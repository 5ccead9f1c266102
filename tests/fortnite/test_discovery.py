"""Reading surfaces: all pages of all panels, and what is made of those that are wrong or missing."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from psycopg.rows import DictRow

from etl.engine.database import Database, Params
from etl.engine.errors import Refused, Transient, Unauthorized
from etl.fortnite import discovery, panels
from etl.fortnite.discovery import DiscoveryNumbers, read
from etl.settings import Settings
from tests.fortnite.upstream import Fake, raw
from tests.wire import Request, answer

TS = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
STEP = timedelta(minutes=10)
A, B, C, D, E = (f"{n}000-0000-0000" for n in range(1, 6))


def listed(*codes: object) -> list[dict[str, object]]:
    return [{"linkCode": code, "globalCCU": 5, "isVisible": True} for code in codes]


@dataclass
class Shop:
    """Surfaces by name: panels by name, each a list of pages of entries.

    ``heads``: what a panel has beside, or in place of, what it should have. ``spoil``: changes an
    answer, or gives the raw one in its place: told the surface, the panel and the page.
    """

    surfaces: dict[str, dict[str, list[list[Any]]]] = field(default_factory=dict)
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoil: Callable[[str, str, int], object] = lambda *_: None
    asked: list[tuple[str, str, str, int]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> bytes | None:
        path = urlsplit(request.line.split()[1]).path
        if "/accessToken/" in path:
            return answer(body=b'{"token": "access"}')
        if "/surface/" not in path:
            return None
        self.requests.append(request)
        body = json.loads(request.body)
        surface, _, page = unquote(path.partition("/surface/")[2]).partition("/")
        region = body["matchmakingRegion"]
        panel, index = (body["panelName"], body["pageIndex"]) if page else ("", 0)
        self.asked.append((surface, region, panel, index))
        wrong = self.spoil(surface, panel, index)
        if isinstance(wrong, bytes):
            return wrong
        right = self._page(surface, panel, index) if page else self._main(surface)
        return answer(body=raw(wrong or right))

    def _main(self, surface: str) -> dict[str, Any]:
        shown = []
        for name in self.surfaces[surface]:
            panel: dict[str, Any] = {
                "panelName": name,
                "panelDisplayName": f"The {name}",
                "panelType": "List",
            }
            panel |= {"firstPage": self._page(surface, name, 0)}
            shown.append(panel | self.heads.get(name, {}))
        return {"testVariantName": "Variant", "panels": shown}

    def _page(self, surface: str, panel: str, index: int) -> dict[str, Any]:
        pages = self.surfaces[surface][panel]
        return {"results": pages[index], "hasMore": index + 1 < len(pages)}


@pytest.fixture
def shop(upstream: Fake) -> Shop:
    made = Shop({"S": {"P": [listed(A, B), listed(C)], "Q": [listed(B)]}})
    upstream.wrong = made
    return made


@pytest.fixture
def options(options: Settings, upstream: Fake) -> Settings:
    own = {
        "fortnite_game_url": upstream.url,
        "fortnite_surfaces_per_minute": 60_000,
        "fortnite_surfaces": ("S",),
        "fortnite_regions": ("EU",),
    }
    return options.model_copy(update=own)


async def now(db: Database) -> dict[tuple[str, str], list[str]]:
    """Codes in order of their places, by region and panel."""
    found: dict[tuple[str, str], list[str]] = {}
    query = "select region, panel, code from analytics.placement order by 1, 2, position"
    for row in await db.fetch(query):
        found.setdefault((row["region"], row["panel"]), []).append(row["code"])
    return found


async def events(db: Database, at: datetime) -> set[tuple[str, str, str]]:
    rows = await db.fetch("select * from analytics.placement_event where at = %s", (at,))
    return {(row["panel"], row["event"], row["code"]) for row in rows}


async def rejected(db: Database) -> dict[str | None, str]:
    rows = await db.fetch("select key, reason from raw.rejected")
    return {row["key"]: row["reason"] for row in rows}


def regions(*names: str) -> dict[str, object]:
    return {"fortnite_regions": names}


async def test_all_pages_of_all_panels_of_every_region(
    db: Database, options: Settings, shop: Shop
) -> None:
    shop.surfaces["T"] = {"P": [listed("set_br_playlists", D)]}
    both = {"fortnite_surfaces": ("S", "T"), "fortnite_regions": ("EU", "ASIA")}
    numbers = await read(db, options.model_copy(update=both), TS)
    assert sorted(shop.asked) == [
        *(("S", "ASIA", "", 0), ("S", "ASIA", "P", 1), ("S", "EU", "", 0), ("S", "EU", "P", 1)),
        *(("T", "ASIA", "", 0), ("T", "EU", "", 0)),
    ]
    rows = await db.fetch("select * from analytics.placement where region = 'EU'")
    assert {
        (r["surface"], r["panel"], r["panel_name"], r["position"], r["code"]) for r in rows
    } == {
        *(("S", "P", "The P", 1, A), ("S", "P", "The P", 2, B), ("S", "P", "The P", 3, C)),
        *(("S", "Q", "The Q", 1, B),),
        *(("T", "P", "The P", 1, "set_br_playlists"), ("T", "P", "The P", 2, D)),
    }
    # regions at once may both call an island new
    assert replace(numbers, discovered=4) == DiscoveryNumbers(
        TS, surfaces=4, panels=6, entries=12, added=12, panels_added=6, discovered=4
    )
    pages = await db.fetch("select key, page, body from raw.snapshot where taken_at = %s", (TS,))
    assert {(row["key"], row["page"]) for row in pages} == {
        *(("S/EU", 0), ("S/EU/P", 1), ("T/EU", 0)),
        *(("S/ASIA", 0), ("S/ASIA/P", 1), ("T/ASIA", 0)),
    }
    assert next(r["body"] for r in pages if r["key"] == "S/EU/P")["results"] == listed(C)
    met = await db.fetch(
        "select i.code, i.source, i.first_seen_at, c.class from fortnite.island as i "
        "join engine.crawl as c on c.key = i.code and c.resource = 'fortnite.island'"
    )
    assert {row["code"] for row in met} == {A, B, C, D}
    assert all((r["source"], r["first_seen_at"], r["class"]) == ("discovery", TS, 0) for r in met)


async def test_a_surface_is_asked_for_as_the_game_does(
    db: Database, options: Settings, shop: Shop
) -> None:
    await read(db, options, TS)
    assert len(shop.requests) == 2
    for request in shop.requests:
        assert request.headers["x-epic-access-token"] == "access"
        assert request.headers["authorization"].lower() == "bearer t"
        query = parse_qs(urlsplit(request.line.split()[1]).query)
        assert query == {"appId": ["Fortnite"], "stream": ["++Fortnite+Release-39.30"]}
    page = json.loads(shop.requests[1].body)
    assert (page["testVariantName"], page["panelName"], page["pageIndex"]) == ("Variant", "P", 1)


WRONG: dict[str, object] = {
    "surface refused": answer(404, b'{"errorCode": "errors.gone"}'),
    "surface failed": answer(503),
    "no JSON": answer(body=b"<html>"),
    "another shape": {"unexpected": [1, None, "shape"]},
    "no panels": {"panels": []},
    "panels are no list": {"panels": {"P": 1}},
    "empty": answer(body=b""),
    "panels without names": {"panels": [7, {"panelName": None}, {"firstPage": {}}]},
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_surface_that_cannot_be_read_says_nothing(
    db: Database, options: Settings, shop: Shop, what: str
) -> None:
    await read(db, options, TS)
    before = await now(db)
    shop.spoil = lambda *_: WRONG[what]
    numbers = await read(db, options, TS + STEP)
    assert (numbers.surfaces, numbers.unread, numbers.complete) == (0, 1, False)
    assert await now(db) == before
    assert await events(db, TS + STEP) == set()
    (state,) = await db.fetch("select taken_at, tried_at, trouble from fortnite.surface")
    assert (state["taken_at"], state["tried_at"]) == (TS, TS + STEP)
    assert state["trouble"]
    # the next good read is held against the last good one
    shop.spoil = lambda *_: None
    shop.surfaces["S"] = {"P": [listed(A, D)], "R": [listed(E)]}
    await read(db, options, TS + 2 * STEP)
    assert await events(db, TS + 2 * STEP) == {
        *(("P", "REMOVED", B), ("P", "REMOVED", C), ("P", "ADDED", D)),
        *(("Q", "REMOVED", B), ("R", "ADDED", E)),
    }
    assert await now(db) == {("EU", "P"): [A, D], ("EU", "R"): [E]}


BAD_PAGES: dict[str, object] = {
    "failed": answer(500),
    "refused": answer(403, b'{"errorCode": "errors.no"}'),
    "no JSON": answer(body=b'{"results": [{"linkCode": "'),
    "no results": {"hasMore": False},
    "more is not told": {"results": listed(D)},
    "more is a word": {"results": listed(D), "hasMore": "false"},
    "results are no list": {"results": {"linkCode": D}, "hasMore": False},
    "nothing new and not the last": {"results": listed(A), "hasMore": True},
}


@pytest.mark.parametrize("what", BAD_PAGES)
async def test_half_a_panel_is_no_panel(
    db: Database, options: Settings, shop: Shop, what: str
) -> None:
    await read(db, options, TS)
    shop.surfaces["S"] = {"P": [listed(B, E), listed(C)], "Q": [listed(D)]}
    shop.spoil = lambda _, panel, index: BAD_PAGES[what] if (panel, index) == ("P", 1) else None
    numbers = await read(db, options, TS + STEP)
    assert (numbers.panels, numbers.panels_unread, numbers.complete) == (1, 1, False)
    assert await now(db) == {("EU", "P"): [A, B, C], ("EU", "Q"): [D]}
    assert await events(db, TS + STEP) == {("Q", "REMOVED", B), ("Q", "ADDED", D)}
    shop.spoil = lambda *_: None
    await read(db, options, TS + 2 * STEP)
    assert await events(db, TS + 2 * STEP) == {
        *(("P", "REMOVED", A), ("P", "MOVED", B), ("P", "ADDED", E)),
    }


async def test_a_first_page_that_cannot_be_read_and_an_endless_panel(
    db: Database, options: Settings, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read(db, options, TS)
    shop.heads = {"Q": {"firstPage": None}}
    shop.surfaces["S"]["P"] = [listed(f"{n}000-1111-0000") for n in range(10)]
    few = options.model_copy(update={"fortnite_surface_pages": 4})
    numbers = await read(db, few, TS + STEP)
    assert (numbers.panels_unread, len(shop.asked)) == (2, 2 + 4)
    assert await events(db, TS + STEP) == set()
    monkeypatch.setattr(panels, "MOST_ENTRIES", 3)
    numbers = await read(db, options, TS + 2 * STEP)
    assert (numbers.panels_unread, await events(db, TS + 2 * STEP)) == (2, set())


async def test_bad_entries_are_set_aside_and_the_rest_goes_on(
    db: Database, options: Settings, shop: Shop
) -> None:
    await read(db, options, TS)
    bad = [*listed(B), 7, *listed("", "x" * 300, "a\0b", "a\nb"), *listed(D)]
    shop.surfaces["S"]["P"] = [listed(A, A), bad]
    numbers = await read(db, options, TS + STEP)
    assert numbers.complete
    reasons = [row["reason"] for row in await db.fetch("select reason from raw.rejected")]
    assert numbers.rejected == len(reasons)
    assert sum("in the panel twice" in reason for reason in reasons) == 1
    assert sum("cannot be a key" in reason for reason in reasons) == 4
    assert sum("without a linkCode" in reason for reason in reasons) == 1
    # 7 may be C: nothing is said of who is not there
    assert await events(db, TS + STEP) == {("P", "MOVED", B), ("P", "ADDED", D)}
    found = await db.fetch("select code, position from analytics.placement where panel = 'P'")
    assert {row["code"]: row["position"] for row in found} == {A: 1, B: 3, C: 3, D: 9}
    shop.surfaces["S"]["P"] = [listed(A, "x" * 300, B, D)]
    await read(db, options, TS + 2 * STEP)
    assert ("P", "REMOVED", C) in await events(db, TS + 2 * STEP)


async def test_hostile_panels_are_set_aside_and_the_rest_goes_on(
    db: Database, options: Settings, shop: Shop
) -> None:
    await read(db, options, TS)
    shop.surfaces["S"] = {"P": [listed(A)], "R": [listed(B)], "T": [listed(C)], "U": [listed(D)]}
    shop.heads = {
        "P": {"panelDisplayName": "half \ud83d"},
        "R": {"panelName": 7},
        "T": {"panelName": "P"},
        "U": {"panelDisplayName": ["a"], "panelType": "nul\0"},
    }
    numbers = await read(db, options, TS + STEP)
    # R's name is not known: it may be Q, of which nothing is said
    assert await now(db) == {("EU", "P"): [A], ("EU", "Q"): [B], ("EU", "U"): [D]}
    names = await db.fetch("select panel, name, kind from fortnite.panel order by panel")
    assert [tuple(row.values()) for row in names] == [
        *(("P", "The P", "List"), ("Q", "The Q", "List"), ("U", None, None)),
    ]
    assert not numbers.complete
    aside = await rejected(db)
    assert set(aside) == {"S/EU", "S/EU/P", "S/EU/U", "S/EU page 0"}
    assert "a panel without a name" in aside["S/EU"]


async def test_panels_are_added_renamed_and_dropped(
    db: Database, options: Settings, shop: Shop
) -> None:
    await read(db, options, TS)
    shop.surfaces["S"] = {"R": [[]], "P": [listed(A)]}
    shop.heads = {"P": {"panelDisplayName": "🎮 العربية"}}
    numbers = await read(db, options, TS + STEP)
    told = (numbers.panels_added, numbers.panels_renamed, numbers.panels_dropped)
    assert told == (1, 1, 1)
    shop.surfaces["S"]["Q"] = [listed(A)]
    await read(db, options, TS + 2 * STEP)
    rows = await db.fetch(
        "select * from analytics.panel_event where at > %s order by at, panel", (TS,)
    )
    assert [(r["panel"], r["event"], r["name"], r["previous_name"]) for r in rows] == [
        ("P", "RENAMED", "🎮 العربية", "The P"),
        ("Q", "DROPPED", None, "The Q"),
        ("R", "ADDED", "The R", None),
        ("Q", "ADDED", "The Q", "The Q"),
    ]
    then = await db.fetch("select * from analytics.surface_at('S', 'EU', %s)", (TS + STEP,))
    assert [(r["panel"], r["panel_name"], r["code"], r["read_at"]) for r in then] == [
        ("R", "The R", None, TS + STEP),
        ("P", "🎮 العربية", A, TS + STEP),
    ]


class Dying(Database):
    """A database whose worker dies when it takes over the first surface of a region."""

    region = "EU"

    async def fetch(
        self, query: LiteralString, params: Params = (), *, binary: bool = False
    ) -> list[DictRow]:
        if "apply_surface" in query and self.region in list(params):
            raise RuntimeError("killed")
        return await super().fetch(query, params, binary=binary)


async def test_a_cycle_that_died_is_repeated_and_does_the_rest(
    db: Database, options: Settings, shop: Shop
) -> None:
    three = options.model_copy(update=regions("ASIA", "EU", "NAE"))
    await read(db, three, TS)
    shop.surfaces["S"]["P"] = [listed(A), listed(D)]
    with pytest.raises(RuntimeError, match="killed"):
        await read(Dying(db._pool), three, TS + STEP)
    done = {
        r["region"]
        for r in await db.fetch(
            "select region from fortnite.surface_read where taken_at = %s", (TS + STEP,)
        )
    }
    assert "EU" not in done
    assert (await now(db))["EU", "P"] == [A, B, C]
    shop.asked.clear()
    numbers = await read(db, three, TS + STEP)
    assert {region for _, region, *_ in shop.asked} == {"ASIA", "EU", "NAE"} - done
    assert numbers.surfaces == 3 - len(done)
    for region in ("ASIA", "EU", "NAE"):
        assert (await now(db))[region, "P"] == [A, D]
    count = "select count(*) as n from fortnite.placement_event where at = %s"
    assert (await db.fetch_one(count, (TS + STEP,)))["n"] == 3 * 3
    # again, and late: nothing is asked any more
    shop.asked.clear()
    for ts in (TS + STEP, TS):
        assert (await read(db, three, ts)).surfaces == 0
    assert shop.asked == []


async def test_a_token_that_is_not_taken_ends_it(
    db: Database, options: Settings, shop: Shop, upstream: Fake
) -> None:
    await read(db, options, TS)
    shop.spoil = lambda *at: answer(401) if at[2] else None
    shop.surfaces["S"] = {"O": [listed(D)], "P": [listed(A), listed(B)], "Q": [listed(E)]}
    with pytest.raises(Unauthorized):
        await read(db, options, TS + STEP)
    # what was read before counts, and no panel that was not reached is gone
    assert await events(db, TS + STEP) == {("O", "ADDED", D)}
    upstream.wrong = lambda request: answer(403) if "accessToken" in request.line else None
    with pytest.raises(Refused, match="accessToken"):
        await read(db, options, TS + 2 * STEP)


@pytest.mark.parametrize("token", ["\u00e9", "a\n", "", "x" * 3000])
async def test_an_access_token_that_no_header_can_hold_is_none(
    db: Database, options: Settings, upstream: Fake, token: str
) -> None:
    said = answer(body=json.dumps({"token": token}).encode())
    upstream.wrong = lambda request: said if "accessToken" in request.line else None
    with pytest.raises(Transient, match="no discovery access token"):
        await read(db, options, TS)


async def test_a_cycle_that_has_no_time_left_stops_and_drops_nothing(
    db: Database,
    options: Settings,
    shop: Shop,
    upstream: Fake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two = options.model_copy(update=regions("ASIA", "EU"))
    await read(db, two, TS)
    before = await now(db)
    monkeypatch.setattr(discovery, "CYCLE_S", discovery.MARGIN_S + 1)
    monkeypatch.setattr(discovery, "LANES", 1)
    shop.surfaces["S"] = {"O": [listed(D)], "P": [listed(A), listed(E)], "Q": [[]]}
    upstream.delay, upstream.delayed = 5, "/page"
    numbers = await read(db, two, TS + STEP)
    assert (numbers.surfaces, numbers.panels_unread, numbers.complete) == (1, 2, False)
    assert await now(db) == before | {("ASIA", "O"): [D]}
    # who was left out comes first
    shop.asked.clear()
    upstream.delay = 0
    assert (await read(db, two, TS + 2 * STEP)).complete
    assert [region for _, region, *_ in shop.asked] == ["EU", "EU", "ASIA", "ASIA"]


async def test_without_credentials_it_says_so_and_asks_nothing(
    db: Database, options: Settings, shop: Shop
) -> None:
    none = options.model_copy(update={"fortnite_client_id": None, "fortnite_client_secret": None})
    numbers = await read(db, none, TS)
    assert (numbers.surfaces, numbers.complete, shop.asked) == (0, False, [])
