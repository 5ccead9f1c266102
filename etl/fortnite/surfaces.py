"""Discovery surfaces (V2): what is asked, and the pages that come back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta

from etl.engine import split
from etl.engine.database import Database
from etl.engine.errors import Transient
from etl.engine.http import Service, Upstream, open_upstream
from etl.engine.oauth import Credentials, Tokens
from etl.settings import Settings

BUCKET = "fortnite.surfaces"
APP = "Fortnite"
PLAYER: Mapping[str, object] = {
    "accountLevel": 100,
    "battlepassLevel": 100,
    "locale": "en",
    "platform": "Windows",
    "isCabined": False,
    "ratingAuthority": "ESRB",
    "rating": "ESRB_AGE_T",
    "numLocalPlayers": 1,
}
"""Whom a surface is made for, apart from the region: what is shown depends on it."""

_Variant = Annotated[str, Meta(max_length=500)]


class _Access(msgspec.Struct):
    token: Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,2000}\Z")]  # what a header can hold


@dataclass(slots=True)
class Main:
    """A surface as its first answer has it: raw panels in order, each with its first page.

    ``variant``: what further pages are asked with. ``body``: the answer as received.
    """

    variant: str
    panels: list[bytes]
    body: bytes


@dataclass(slots=True)
class Page:
    """A page of a panel: raw entries in order, and whether another page follows."""

    entries: list[bytes]
    more: bool


class Surfaces:
    """The surface routes of the Discovery service. Build with :func:`open_surfaces`."""

    def __init__(
        self, upstream: Upstream, game: Upstream, settings: Settings, player: str | None
    ) -> None:
        self._upstream = upstream
        self._game = game
        self._branch = settings.fortnite_branch
        self._player: dict[str, object] = dict(PLAYER)
        if player is not None:
            self._player |= {"playerId": player, "partyMemberIds": [player]}
        self._headers: dict[str, str] = {}

    async def enter(self) -> None:
        """Fetch the access token of the branch that every surface is asked with.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.get; Transient too where the answer has no
                token.
        """
        path = f"/fortnite/api/discovery/accessToken/{quote(self._branch, safe='')}"
        answer = await self._game.get(path, params={"appId": APP})
        try:
            token = split.read(answer.body, _Access).token
        except ValueError:
            raise Transient("the answer is no discovery access token") from None
        self._headers = {"X-Epic-Access-Token": token}

    async def main(self, surface: str, region: str) -> Main:
        """A surface as players of a region see it.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.post; Transient too where the answer is no
                surface, or one without any panel: that is how a failure looks.
        """
        body = await self._post(f"/api/v2/discovery/surface/{quote(surface, safe='')}", region, {})
        try:
            fields = split.members(body)
            panels = split.elements(fields["panels"])
            variant = split.read(fields.get("testVariantName", b'""'), _Variant)
        except KeyError:
            raise Transient("the answer is not a surface: it has no panels") from None
        except ValueError as error:
            raise Transient(f"the answer is not a surface: {error}") from None
        if not panels:
            raise Transient("the surface came without a panel")
        return Main(variant, panels, body)

    async def page(self, surface: str, region: str, variant: str, panel: str, index: int) -> bytes:
        """One page of a panel, from 0, as received: :func:`read_page` reads it.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.post.
        """
        path = f"/api/v2/discovery/surface/{quote(surface, safe='')}/page"
        asked = {"testVariantName": variant, "panelName": panel, "pageIndex": index}
        return await self._post(path, region, asked)

    async def _post(self, path: str, region: str, asked: dict[str, object]) -> bytes:
        answer = await self._upstream.post(
            path,
            json={**self._player, "matchmakingRegion": region, **asked},
            params={"appId": APP, "stream": self._branch},
            headers=self._headers,
            safe=True,
        )
        return answer.body


def read_page(body: bytes) -> Page:
    """A page of a panel taken apart.

    Raises:
        ValueError: it is none; the message is for a person.
    """
    fields = split.members(body)
    more = fields.get("hasMore", b"absent").strip()
    if more not in (b"true", b"false"):
        raise ValueError(f"whether more follows cannot be read: hasMore is {more[:50]!a}")
    if "results" not in fields:
        raise ValueError("it has no results")
    return Page(split.elements(fields["results"]), more == b"true")


@asynccontextmanager
async def open_surfaces(
    db: Database, settings: Settings, credentials: Credentials
) -> AsyncIterator[Surfaces]:
    """The surface routes, closed at exit. Raises as open_links; also as Tokens.account_id."""
    rate = settings.fortnite_surfaces_per_minute / 60
    discovery = Service(str(settings.fortnite_discovery_url), BUCKET, rate)
    game = Service(str(settings.fortnite_game_url), BUCKET, rate)
    tokens = Tokens(db, settings, credentials)
    own = settings.fortnite_account_id
    player = own.get_secret_value() if own is not None else await tokens.account_id()
    async with (
        open_upstream(db, settings, discovery, tokens) as ask,
        open_upstream(db, settings, game, tokens) as ask_game,
    ):
        yield Surfaces(ask, ask_game, settings, player)
