"""What is asked of each service, byte for byte, and answers of the wrong shape."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from etl.engine.database import Database
from etl.engine.errors import Transient
from etl.engine.items import Bad, Found, Item, Missing
from etl.fortnite.account import credentials
from etl.fortnite.client import Discovery, Links, open_data, open_discovery, open_links
from etl.settings import Settings
from tests.data import recorded
from tests.fortnite.upstream import Fake, entry, linked, raw
from tests.wire import Request, answer


def always(body: bytes) -> Callable[[Request], bytes]:
    """Answer every request with this body."""
    return lambda _: answer(body=body)


def links(db: Database, options: Settings) -> AbstractAsyncContextManager[Links]:
    account = credentials(options)
    assert account is not None
    return open_links(db, options, account)


def discovery(db: Database, options: Settings) -> AbstractAsyncContextManager[Discovery]:
    account = credentials(options)
    assert account is not None
    return open_discovery(db, options, account)


async def test_a_lookup_is_asked_for_as_the_documentation_says(
    db: Database, options: Settings, upstream: Fake
) -> None:
    upstream.wrong = lambda _: answer(body=recorded("examples/links_info_bulk.json").read_bytes())
    async with links(db, options) as service:
        found = await service.lookup(["playlist_defaultsolo", "playlist_defaultduo"])
    (request,) = (r for r in upstream.asked if "mnemonic" in r.line)
    assert request.line == "POST /links/api/fn/mnemonic?ignoreFailures=true HTTP/1.1"
    example = json.loads(recorded("examples/links_info_bulk.request.json").read_bytes())
    assert json.loads(request.body)[:1] == example
    assert request.headers["authorization"] == "Bearer t"
    assert [type(item) for item in found] == [Found, Found]
    assert [item.key for item in found] == ["playlist_defaultsolo", "playlist_defaultduo"]


async def test_a_lookup_tells_found_bad_missing_and_not_asked_for_apart(
    db: Database, options: Settings, upstream: Fake
) -> None:
    codes = ["a", "b", "c"]

    async def lookup(*given: object) -> dict[str | None, type[Item]]:
        upstream.links = list(given)
        async with links(db, options) as service:
            return {item.key: type(item) for item in await service.lookup(codes)}

    def link(mnemonic: object) -> dict[str, object]:
        return {"mnemonic": mnemonic, "version": 1}

    assert await lookup(link("a"), link("b")) == {"a": Found, "b": Found, "c": Missing}
    assert await lookup() == dict.fromkeys(codes, Missing)
    assert await lookup(link("b") | {"n": float("nan")}) == {"a": Missing, "b": Bad, "c": Missing}
    # with an item that could be anybody's, nobody is said to be missing
    nobodys: list[object] = ["x", None, [], link(7), link(""), link("z"), {}, link("a\0")]
    for strange in nobodys:
        assert await lookup(link("a"), strange) == {"a": Found, None: Bad}, strange


@pytest.mark.parametrize("body", [b"{}", b'{"a": {}}', b"[1", b'[{"mnemonic": "a"'])
async def test_an_answer_to_a_lookup_that_is_no_list_is_transient(
    db: Database, options: Settings, upstream: Fake, body: bytes
) -> None:
    upstream.wrong = lambda _: answer(body=body)
    async with links(db, options) as service:
        with pytest.raises(Transient, match="is no list"):
            await service.lookup(["a"])


async def test_entries_are_asked_for_as_the_documentation_says(
    db: Database, options: Settings, upstream: Fake
) -> None:
    example = recorded("examples/discovery_v2_link_entries.json").read_bytes()
    upstream.wrong = lambda _: answer(body=example)
    async with discovery(db, options) as service:
        counts = await service.entries(["playlist_trios"])
        assert counts.ccu == {"playlist_trios": 8720}
        asked = json.loads(recorded("examples/discovery_v2_link_entries.request.json").read_bytes())
        (request,) = (r for r in upstream.asked if "entries" in r.line)
        assert request.line == "POST /api/v2/discovery/link-entries HTTP/1.1"
        assert json.loads(request.body) == asked
        for body in (b"[]", b'{"a": ', b'[{"a": 1}]'):
            upstream.wrong = always(body)
            with pytest.raises(Transient, match="is no object"):
                await service.entries(["a"])


async def test_a_creator_page_is_asked_for_as_the_documentation_says(
    db: Database, options: Settings, upstream: Fake
) -> None:
    example = recorded("examples/creator_page.json").read_bytes()
    upstream.wrong = lambda request: answer(body=example) if "page" in request.line else None
    own = options.model_copy(update={"fortnite_account_id": SecretStr("me")})
    async with discovery(db, own) as service:
        counts = await service.creator("epic", "2024-07-26T19:18:11.047Z")
        assert counts.ccu["campaign"] == 16647
        assert counts.older is None
        (path,) = upstream.paths("page")
        assert urlsplit(path).path == "/api/v1/creator/page/epic"
        assert parse_qs(urlsplit(path).query) == {
            "limit": ["100"],
            "playerId": ["me"],
            "olderThan": ["2024-07-26T19:18:11.047Z"],
        }
        for body in (b"[]", b"{}", b'{"links": {}}', b'{"links": [1}'):
            upstream.wrong = always(body)
            with pytest.raises(Transient, match="not a creator page"):
                await service.creator("epic", None)


async def test_the_next_page_follows_the_last_activation(
    db: Database, options: Settings, upstream: Fake
) -> None:
    first, second = linked("a", 1, "2026"), linked("b", 1, "2025")
    cases: list[tuple[list[object], str, str | None]] = [
        ([first, second], "true", "2025"),
        ([first, second], "false", None),
        ([first, linked("b", 1)], "true", "2026"),
        ([first, "bad"], "true", "2026"),
        ([linked("a", 1)], "true", None),
        ([], "true", None),
        ([first], '"yes"', None),
    ]
    async with discovery(db, options) as service:
        for listed, more, older in cases:
            body = raw({"links": listed, "hasMore": "?"}).replace(b'"?"', more.encode())
            upstream.wrong = always(body)
            assert (await service.creator("x", None)).older == older


async def test_recorded_catalogue_pages_are_read(
    db: Database, options: Settings, upstream: Fake
) -> None:
    recorded_page = recorded("data-api/islands-page-uefn-and-fnc.json").read_bytes()
    upstream.wrong = lambda _: answer(body=recorded_page)
    async with open_data(db, options) as service:
        page = await service.islands(None)
        assert [item.key for item in page.items] == ["1321-3263-2308", "9752-7254-5801"]
        assert (page.after, page.trouble) == ("OTc1Mi03MjU0LTU4MDE=", None)
        await service.islands(page.after)
    assert upstream.paths("islands") == [
        "/islands?size=1000",
        "/islands?size=1000&after=OTc1Mi03MjU0LTU4MDE%3D",
    ]
    assert all("authorization" not in request.headers for request in upstream.asked)


async def test_throttles_are_declared_from_the_options(
    db: Database, options: Settings, upstream: Fake
) -> None:
    rates = {
        "fortnite_data_per_second": 3.0,
        "fortnite_links_per_minute": 10,
        "fortnite_entries_per_minute": 120,
        "fortnite_creators_per_minute": 30,
    }
    upstream.entries = {"a": entry(1)}
    for factor in (1, 2):
        own = options.model_copy(update={name: rate * factor for name, rate in rates.items()})
        async with open_data(db, own), links(db, own), discovery(db, own):
            rows = await db.fetch("select name, per_second, capacity from ops.throttle")
        assert {row["name"]: round(row["per_second"] * 60) for row in rows} == {
            "fortnite.data": 180 * factor,
            "fortnite.links": 10 * factor,
            "fortnite.entries": 120 * factor,
            "fortnite.creators": 30 * factor,
        }
        assert all(row["capacity"] == 1 for row in rows)
