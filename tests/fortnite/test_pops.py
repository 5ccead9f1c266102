"""The pops service as a test wants it: what is asked of it, what it refuses, and how fast it is asked."""

import asyncio
import json
from collections.abc import Iterable
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from etl.engine.database import Database
from etl.engine.errors import Refused, Unauthorized
from etl.fortnite import creators
from etl.fortnite.account import OFF, credentials
from etl.fortnite.client import open_discovery
from etl.fortnite.cycle import Cycle, CycleNumbers
from etl.fortnite.players import CreatorNumbers, refresh_creators
from etl.fortnite.pops import open_pops
from etl.settings import Settings
from tests.data import recorded
from tests.fortnite.samples import TS, crawled, creator
from tests.fortnite.upstream import Fake, linked, raw
from tests.wire import Request, answer

DUE = "update engine.crawl set due_at = now()"


def pops(request: Request, accounts: Iterable[str] = ()) -> bytes | None:
    """The pops service as it should be, but that it does not know ``accounts``."""
    path = urlsplit(request.line.split()[1]).path
    if path == "/page/v1":
        ids = set(json.loads(request.body)["playerIds"]) - set(accounts)
        return answer(body=raw({"results": [{"playerId": i, "displayName": i} for i in ids]}))
    if path.startswith("/page/v1/"):
        return answer(body=raw({"displayName": path[9:], "followerCount": 5}))
    return None


def refusing(path: str, status: int, request: Request) -> bytes | None:
    """The pops service, but that it refuses what is asked at a path."""
    return answer(status) if path in request.line else pops(request)


async def test_requests_are_as_the_documentation_says(
    db: Database, options: Settings, upstream: Fake
) -> None:
    account = credentials(options)
    assert account is not None
    wanted = json.loads(recorded("examples/pops_page_bulk.request.json").read_bytes())
    example = recorded("examples/pops_page_bulk.json").read_bytes()
    upstream.wrong = lambda r: answer(body=example) if "/page/v1?" in r.line else pops(r)
    own = options.model_copy(update={"fortnite_account_id": SecretStr("me")})
    async with open_pops(db, own, account) as service:
        found = await service.bulk(wanted["playerIds"])
        page = await service.page("a/b?")
    assert {item.key for item in found} == set(wanted["playerIds"])
    assert page.key == "a/b?"
    bulk, single = (r for r in upstream.asked if "/page" in r.line)
    assert bulk.line == "POST /page/v1?playerId=me HTTP/1.1"
    assert json.loads(bulk.body) == wanted
    assert single.line == "GET /page/v1/a%2Fb%3F?playerId=me HTTP/1.1"
    assert parse_qs(urlsplit(single.line.split()[1]).query) == {"playerId": ["me"]}


async def test_who_is_refused_comes_later_with_the_reason_and_a_token_that_is_blames_nobody(
    db: Database, options: Settings, upstream: Fake
) -> None:
    for name in ("a", "b"):
        await creator(db, name, f"of-{name}")
    forbidden = answer(403, b'{"errorCode": "errors.no.permission"}')
    upstream.wrong = lambda r: forbidden if "/page/v1/a" in r.line else pops(r)
    numbers = await refresh_creators(db, options)
    assert (numbers.pages.landed, numbers.pages.failed, numbers.followers) == (1, 1, 1)
    refused = (await crawled(db, "fortnite.player_page"))["a"]
    assert (refused["attempts"], refused["due"]) == (1, False)
    assert "errors.no.permission" in refused["last_error"]
    for path, status, error in (
        ("/page/v1/", 401, Unauthorized),
        ("/page/v1 ", 401, Unauthorized),
        ("/page/v1 ", 400, Refused),
    ):
        await db.execute(DUE)
        upstream.wrong = partial(refusing, path, status)
        with pytest.raises(error):
            await refresh_creators(db, options)
    pages = await crawled(db, "fortnite.player_page")
    assert [pages[name]["attempts"] for name in "ab"] == [1, 0]


async def test_without_credentials_it_says_so_and_asks_nothing(
    db: Database, options: Settings, upstream: Fake
) -> None:
    none = {"fortnite_client_id": None, "fortnite_client_secret": None}
    with capture_logs() as logs:
        numbers = await refresh_creators(db, options.model_copy(update=none))
    assert (numbers, upstream.asked) == (CreatorNumbers(), [])
    assert OFF in {line["event"] for line in logs}


async def test_a_change_of_the_bulk_route_makes_the_page_due_and_followers_are_kept_as_they_move(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await creator(db, "a", "of-a")
    upstream.wrong = pops
    await refresh_creators(db, options)
    assert not (await crawled(db, "fortnite.player_page"))["a"]["due"]
    await db.execute("update engine.crawl set due_at = now() where resource = 'fortnite.creator'")
    told = [{"playerId": "a", "displayName": "another"}]
    upstream.wrong = lambda r: (
        answer(body=raw({"results": told})) if "/page/v1 " in r.line else pops(r)
    )
    numbers = await refresh_creators(db, options)
    assert (numbers.bulk.changed, numbers.pages.landed, numbers.followers) == (1, 1, 0)
    store = "select fortnite.store_followers(%s, array['a', 'nobody'], array[%s, 1]) as n"
    first = (await db.fetch_one("select min(ts) as ts from fortnite.creator_follower"))["ts"]
    await db.execute("update fortnite.creator_follower set ts = '2026-11-20 08:00+00'")
    for instant, followers, stored in (
        ("2026-11-20 09:00+00", 5, 0),  # the same day, the same number
        ("2026-11-20 10:00+00", 7, 1),
        ("2026-11-20 10:00+00", 7, 0),  # sent twice
        ("2026-11-20 09:30+00", 6, 0),  # late
        ("2026-11-21 00:00+00", 7, 1),  # another day
    ):
        assert (await db.fetch_one(store, (instant, followers)))["n"] == stored, instant
    rows = await db.fetch("select followers, gained from analytics.creator_follower order by ts")
    assert [(row["followers"], row["gained"]) for row in rows] == [(5, None), (7, 2), (7, 0)]
    now = await db.fetch_one("select followers, followers_at from fortnite.creator_now")
    assert (now["followers"], str(now["followers_at"].date())) == (7, "2026-11-21")
    assert first is not None


async def test_creator_pages_and_player_pages_share_one_rate_and_leave_none_of_it(
    db: Database, options: Settings, upstream: Fake
) -> None:
    names = [f"maker{n:03}" for n in range(150)]
    for name in names:
        await creator(db, name, f"of-{name}")
        upstream.creators[name] = [[linked(f"of-{name}", 1)]]
    upstream.wrong = pops
    await db.execute("select fortnite.meet_creators()")
    rate, seconds = 20, 4.0
    own = options.model_copy(update={"fortnite_creators_per_minute": rate * 60})
    account = credentials(own)
    assert account is not None
    async with open_discovery(db, own, account) as discovery:
        upstream.asked.clear()
        end = asyncio.get_running_loop().time() + seconds
        cycle = Cycle(db, own, discovery, CycleNumbers(TS), end)
        players = asyncio.create_task(refresh_creators(db, own))
        await creators.sample_creators(cycle, 10_000)
        await asyncio.sleep(end - asyncio.get_running_loop().time())
        asked = [len(upstream.paths(part)) for part in ("/creator/page/", "/page/v1")]
        players.cancel()
        with pytest.raises(asyncio.CancelledError):
            await players
    assert 0.95 * rate * seconds <= sum(asked) <= rate * seconds + 1
    assert 1.5 * asked[1] < asked[0] < 3 * asked[1]  # two thirds are creator pages
    waiting = await db.fetch(
        "select key, waits > interval '0' as waits from ops.waiting "
        "where resource = 'fortnite.player_page' order by due_at limit 3"
    )
    assert [row["waits"] for row in waiting] == [True] * 3
