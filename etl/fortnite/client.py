"""The Fortnite services: what is asked of each, and its answers as items, good and bad apart."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta

from etl.engine import split
from etl.engine.clock import Clock, read_clock
from etl.engine.database import Database
from etl.engine.errors import Transient
from etl.engine.http import Answer, Service, Upstream, open_upstream
from etl.engine.items import Bad, Found, Item, Missing
from etl.engine.oauth import Credentials, Tokens
from etl.engine.split import NotSplit
from etl.settings import Settings

MOST_LISTED = 1000
"""Islands the Data API lists on one page."""
MOST_CODES = 100
"""Codes the Links and Discovery services take in one request, and islands on a creator's page."""
CREATORS_BUCKET = "fortnite.creators"
"""Throttle that creator pages and player pages share."""

_Count = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class _Cursor(msgspec.Struct, rename={"after": "nextCursor"}):
    after: Annotated[str, Meta(max_length=2000)] | None


class _PageMeta(msgspec.Struct):
    page: _Cursor


class _Entry(msgspec.Struct, rename={"ccu": "globalCCU"}):
    ccu: _Count | None = None


class _CreatorEntry(
    msgspec.Struct,
    rename={"code": "linkCode", "ccu": "globalCCU", "activated": "lastActivatedDate"},
):
    code: str
    ccu: _Count | None = None
    activated: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the catalogue. ``after`` is the cursor of the next page, None at the end.

    ``trouble`` says why there is no telling what comes next; the items are good all the same.
    ``fetched_at`` is when it was there, by the database's clock.
    """

    items: Sequence[Item]
    after: str | None
    trouble: str | None
    fetched_at: datetime


@dataclass(slots=True)
class Counts:
    """Play counts by code; None where the service gives no count.

    ``bad``: entries that cannot be read. ``older``: what the next page of a creator is asked with;
    None at the end.
    """

    ccu: dict[str, int | None] = field(default_factory=dict)
    bad: list[Bad] = field(default_factory=list)
    older: str | None = None


class DataApi:
    """The public Data API. Build with :func:`open_data`."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock

    async def islands(self, after: str | None) -> Page:
        """The catalogue page after a cursor, or the first; newest islands first.

        Raises:
            Transient, Refused: as Upstream.get; Transient too where the answer is no page.
        """
        params = {"size": MOST_LISTED} | ({} if after is None else {"after": after})
        answer = await self._upstream.get("/islands", params=params)
        fetched_at = self._clock.now()
        outer, listed = read_listing("a catalogue page", answer, "data")
        items = [read_item(raw, "code") for raw in listed]
        try:
            cursor = split.read(outer["meta"], _PageMeta).page.after
        except (KeyError, ValueError) as error:
            trouble = f"the cursor of the next page cannot be read: {error}"
            return Page(items, None, trouble, fetched_at)
        return Page(items, cursor, None, fetched_at)


class Links:
    """The Links service. Build with :func:`open_links`."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.turn = upstream.reserve

    async def lookup(self, codes: Sequence[str]) -> list[Item]:
        """The details of up to 100 islands, those the service does not know as Missing.

        What an item that cannot be read does to the rest: see :func:`answered`.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.post; Transient too where the answer is no
                list.
        """
        wanted = [{"mnemonic": code, "type": "", "filter": False, "v": ""} for code in codes]
        answer = await self._upstream.post(
            "/links/api/fn/mnemonic", json=wanted, params={"ignoreFailures": "true"}, safe=True
        )
        try:
            raws = split.elements(answer.body)
        except NotSplit as error:
            raise Transient(f"the answer to a lookup of links is no list: {error}") from None
        return answered(codes, raws, "mnemonic", "the Links service does not know it")


class Discovery:
    """Play counts of the Discovery service. Build with :func:`open_discovery`."""

    def __init__(self, entries: Upstream, creators: Upstream, player: str | None) -> None:
        self._entries = entries
        self._creators = creators
        self._player = player

    async def entries(self, codes: Sequence[str]) -> Counts:
        """The counts of up to 100 codes; one that the answer leaves out counts as None.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.post; Transient too where the answer is no
                object.
        """
        answer = await self._entries.post(
            "/api/v2/discovery/link-entries", json={"linkCodes": list(codes)}, safe=True
        )
        try:
            found = split.members(answer.body)
        except NotSplit as error:
            raise Transient(f"the answer to a lookup of entries is no object: {error}") from None
        counts = Counts()
        for code in codes:
            try:
                raw = found.get(code)
                counts.ccu[code] = None if raw is None else split.read(raw, _Entry).ccu
            except ValueError as error:
                counts.bad.append(Bad(code, found[code], str(error)))
        return counts

    async def creator(self, account: str, older: str | None) -> Counts:
        """The counts on one page of a creator, the most recently activated islands first.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.get; Transient too where the answer is no
                page.
        """
        params: dict[str, str | int] = {"limit": MOST_CODES}
        if self._player is not None:
            params["playerId"] = self._player
        if older is not None:
            params["olderThan"] = older
        path = f"/api/v1/creator/page/{quote(account, safe='')}"
        answer = await self._creators.get(path, params=params)
        outer, listed = read_listing("a creator page", answer, "links")
        counts = Counts()
        last = None
        for raw in listed:
            item = read_item(raw, "linkCode")
            if isinstance(item, Bad):
                counts.bad.append(item)
                continue
            try:
                entry = split.read(raw, _CreatorEntry)
            except ValueError as error:
                counts.bad.append(Bad(item.key, raw, str(error)))
                continue
            counts.ccu[entry.code] = entry.ccu
            last = entry.activated or last
        counts.older = last if _is_true(outer.get("hasMore")) else None
        return counts


@asynccontextmanager
async def open_data(db: Database, settings: Settings) -> AsyncIterator[DataApi]:
    """The Data API, closed at exit. It needs no account."""
    service = Service(
        str(settings.fortnite_data_url), "fortnite.data", settings.fortnite_data_per_second
    )
    async with open_upstream(db, settings, service) as upstream:
        yield DataApi(upstream, await read_clock(db))


@asynccontextmanager
async def open_links(
    db: Database, settings: Settings, credentials: Credentials
) -> AsyncIterator[Links]:
    """The Links service, closed at exit. Raises PlainError where ETL_TOKEN_KEY cannot be used."""
    service = Service(
        str(settings.fortnite_links_url),
        "fortnite.links",
        settings.fortnite_links_per_minute / 60,
    )
    tokens = Tokens(db, settings, credentials)
    async with open_upstream(db, settings, service, tokens) as upstream:
        yield Links(upstream)


@asynccontextmanager
async def open_discovery(
    db: Database, settings: Settings, credentials: Credentials
) -> AsyncIterator[Discovery]:
    """The Discovery service, closed at exit. Raises as open_links; also as Tokens.account_id."""
    base = str(settings.fortnite_discovery_url)
    entries = Service(base, "fortnite.entries", settings.fortnite_entries_per_minute / 60)
    creators = Service(base, CREATORS_BUCKET, settings.fortnite_creators_per_minute / 60)
    tokens = Tokens(db, settings, credentials)
    own = settings.fortnite_account_id
    player = own.get_secret_value() if own is not None else await tokens.account_id()
    async with (
        open_upstream(db, settings, entries, tokens) as ask_entries,
        open_upstream(db, settings, creators, tokens) as ask_creators,
    ):
        yield Discovery(ask_entries, ask_creators, player)


def read_listing(what: str, answer: Answer, name: str) -> tuple[dict[str, bytes], list[bytes]]:
    """The members of an answer, and the elements of the one called ``name``."""
    try:
        outer = split.members(answer.body)
        return outer, split.elements(outer[name])
    except NotSplit as error:
        raise Transient(f"the answer is not {what}: {error}") from None
    except KeyError:
        raise Transient(f"the answer is not {what}: it has no {name}") from None


def read_item(raw: bytes, name: str) -> Found | Bad:
    """An item under the key that its field ``name`` gives."""
    try:
        fields = split.members(raw)
        key = split.read(fields.get(name, b"null"), str)
    except ValueError as error:
        return Bad(None, raw, f"no {name} to be read: {error}")
    if not (0 < len(key) <= 200 and key.isprintable()):
        return Bad(None, raw, f"its {name} cannot be a key: {key[:50]!a}")
    try:
        split.read(raw, msgspec.Raw)
    except ValueError as error:
        return Bad(key, raw, str(error))
    return Found(key, raw)


def answered(keys: Sequence[str], raws: Sequence[bytes], name: str, absent: str) -> list[Item]:
    """The items of an answer that was asked for these keys; those it leaves out as Missing.

    ``name``: field with the key of an item. While there are items that do not tell whose they are,
    or that nobody asked for, nothing is said of keys that are left out.
    """
    left = dict.fromkeys(keys)
    items: list[Item] = []
    for raw in raws:
        item = read_item(raw, name)
        if item.key is not None and item.key not in left:
            item = Bad(None, raw, f"it was not asked for: {item.key}")
        items.append(item)
    seen = {item.key for item in items}
    if None not in seen:
        items += [Missing(key, absent) for key in left if key not in seen]
    return items


def _is_true(raw: bytes | None) -> bool:
    return raw is not None and raw.strip() == b"true"
