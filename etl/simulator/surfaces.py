"""The discovery service's surfaces (V2), and the access token the game service gives for them."""

from base64 import b64encode
from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from etl.simulator import problems
from etl.simulator.bodies import Body
from etl.simulator.digits import mix
from etl.simulator.gate import Ask
from etl.simulator.hostile import Item
from etl.simulator.shelves import Shelves
from etl.simulator.world import Shelf

_APP = "Fortnite"
_PAGE = 20
_VARIANTS = ("Baseline", "BrowseVariant3", "Variant2")


class _Main(msgspec.Struct, rename="camel"):
    matchmaking_region: str = "NAE"


class _Wanted(_Main, rename="camel"):
    test_variant_name: str = msgspec.field(default="")
    panel_name: str = msgspec.field(default="")
    page_index: int = msgspec.field(default=0)


_MAIN = msgspec.json.Decoder(_Main)
_WANTED = msgspec.json.Decoder(_Wanted)


class Surfaces:
    """Handlers of the routes, on the surfaces of one world."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def token(self, ask: Ask) -> Response:
        """GET /fortnite/api/discovery/accessToken/{branch}."""
        branch = ask.request.path_params["branch"]
        return problems.json(
            {"branchName": branch, "appId": _APP, "token": _access_token(ask, branch)}
        )

    def main(self, ask: Ask) -> Response:
        """POST /api/v2/discovery/surface/{surface}: every panel with its first page."""
        surface = ask.request.path_params["surface"]
        try:
            region = _MAIN.decode(ask.body or b"{}").matchmaking_region
        except msgspec.MsgspecError as error:
            return problems.invalid("surface", f"The request body cannot be read: {error}")
        shelves = self._shelves.of(surface, region, ask.now)
        refusal = _refusal(ask, surface, shelves)
        if refusal is not None or shelves is None:
            return refusal or _unknown(surface)
        variant = _variant(surface, region)
        return ask.service.answer_lists(
            "surface",
            [_items(shelf, 0) for shelf in shelves],
            lambda lists: {
                "testVariantName": variant,
                "testName": f"39.30_{surface}",
                "testAnalyticsId": f"v2|{mix(1, len(surface)) & 0xFFFF}|{mix(2, len(surface)):016x}",
                "testVariantAnalyticsId": f"v2_v0_c{mix(3, len(surface)) & 0xFFF}",
                "panels": [
                    _panel(shelf, items) for shelf, items in zip(shelves, lists, strict=True)
                ],
            },
        )

    def page(self, ask: Ask) -> Response:
        """POST /api/v2/discovery/surface/{surface}/page: one page of a panel."""
        surface = ask.request.path_params["surface"]
        try:
            wanted = _WANTED.decode(ask.body)
        except msgspec.MsgspecError as error:
            return problems.invalid("surface_page", f"The request body cannot be read: {error}")
        region, index = wanted.matchmaking_region, wanted.page_index
        shelves = self._shelves.of(surface, region, ask.now, wanted.panel_name)
        refusal = _refusal(ask, surface, shelves)
        if refusal is not None:
            return refusal
        if index < 0 or wanted.test_variant_name != _variant(surface, region):
            message = f"There is no page {index} of variant {wanted.test_variant_name!r}"
            return problems.invalid("surface_page", message)
        shelf = next((one for one in shelves or [] if one.name == wanted.panel_name), None)
        if shelf is None:
            return problems.epic(404, "discovery.panel_not_found", 1004, wanted.panel_name)
        items = _items(shelf, index)
        return ask.service.answer_items(
            "surface_page", items, lambda shown: _page(shelf, index, shown)
        )


def _refusal(ask: Ask, surface: str, shelves: Sequence[Shelf] | None) -> Response | None:
    given = ask.request.query_params
    branch = given.get("stream", "")
    if given.get("appId") != _APP or ask.request.headers.get(
        "x-epic-access-token"
    ) != _access_token(ask, branch):
        message = f"The access token is not that of {branch!r}"
        return problems.epic(403, "discovery.invalid_access_token", 1023, message)
    return _unknown(surface) if shelves is None else None


def _unknown(surface: str) -> Response:
    message = f"There is no surface {surface}"
    return problems.epic(404, "discovery.surface_not_found", 1004, message, surface)


def _access_token(ask: Ask, branch: str) -> str:
    salt = ask.service.world.digits.salt
    numbers = [mix(salt, ord(letter) + 256 * n) for n, letter in enumerate(branch)]
    folded = [mix(sum(numbers), n) for n in range(4)]
    return b64encode(b"".join(n.to_bytes(8, "big") for n in folded)).decode()


def _variant(surface: str, region: str) -> str:
    return _VARIANTS[sum(map(ord, surface + region)) % len(_VARIANTS)]


def _items(shelf: Shelf, index: int) -> list[Item]:
    shown = shelf.entries[index * _PAGE : (index + 1) * _PAGE]
    return [(code, _entry(code, players)) for code, players in shown]


def _panel(shelf: Shelf, items: Sequence[Item]) -> Body:
    return {
        "panelName": shelf.name,
        "panelDisplayName": shelf.title,
        "panelSubtitle": None,
        "featureTags": [
            "hasViewAll:true",
            "horizontalScroll:false",
            "maxVisibleRows:2",
            "panelType:featured",
            "showIfEmpty:false",
            "squareTiles:false",
        ],
        "firstPage": _page(shelf, 0, items),
        "panelType": shelf.kind,
        "playHistoryType": None,
        "panelContexts": {},
    }


def _page(shelf: Shelf, index: int, items: Sequence[Item]) -> Body:
    return {
        "results": [body for _, body in items],
        "hasMore": len(shelf.entries) > (index + 1) * _PAGE,
        "panelTargetName": None,
        "pageMarker": None,
    }


def _entry(code: str, players: int | None) -> Body:
    return {
        "lastVisited": None,
        "linkCode": code,
        "isFavorite": False,
        "globalCCU": players,
        "lockStatus": "UNLOCKED",
        "lockStatusReason": "RATING_THRESHOLD",
        "isVisible": True,
    }
