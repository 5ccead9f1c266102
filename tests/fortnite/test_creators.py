"""Creator pages: whose turn it is, all their pages, and the islands nobody knew."""

import asyncio
from datetime import timedelta
from typing import LiteralString

import pytest
from psycopg.rows import DictRow
from pydantic import SecretStr

from etl.engine.crawl import abandon, claim
from etl.engine.database import Database, Params
from etl.engine.resource import DOUBTED
from etl.fortnite import ccu, creators
from etl.fortnite.account import credentials
from etl.fortnite.ccu import cycle
from etl.fortnite.client import open_discovery
from etl.fortnite.creators import LANES
from etl.fortnite.cycle import Cycle, CycleNumbers
from etl.settings import Settings
from tests.fortnite.samples import TS, creator, samples
from tests.fortnite.upstream import Fake, linked
from tests.wire import answer

FORBIDDEN = answer(403, b'{"errorCode": "errors.no.permission"}')
SETTLED = (
    "select key, class, attempts, last_error from engine.crawl "
    "where resource = 'fortnite.creator_page' and due_at > now()"
)


async def test_unknown_islands_of_creator_pages_are_added_and_crawled_first(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await creator(db, "epic/1?", "known")
    upstream.creators["epic/1?"] = [
        [linked("known", 1), linked("new", 40)],
    ]
    upstream.creators["epic/1?"][0] += [linked("hidden", -1), linked("silent", None)]
    numbers = await cycle(db, options, TS)
    assert await samples(db) == {"known": 1, "new": 40}
    assert (numbers.stored, numbers.skipped, numbers.discovered) == (2, 2, 3)
    assert upstream.paths("creator/page") == ["/api/v1/creator/page/epic%2F1%3F?limit=100"]
    rows = await db.fetch(
        "select i.code, i.source, i.first_seen_at, c.class, c.due_at <= now() as due "
        "from fortnite.island as i join engine.crawl as c "
        "on c.key = i.code and c.resource = 'fortnite.island' where i.code <> 'known'"
    )
    assert {row["code"] for row in rows} == {"new", "hidden", "silent"}
    assert all((r["source"], r["class"], r["due"]) == ("creator_page", 0, True) for r in rows)
    assert all(row["first_seen_at"] == TS for row in rows)


async def test_all_pages_of_a_creator_are_read_as_the_account_that_asks(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await creator(db, "maker", "a")
    upstream.creators["maker"] = [
        [linked("a", 1, "5"), linked("b", 2, "1")],
        [linked("c", 3, "7"), linked("d", 4, "2")],
        [linked("e", 5), 7, linked("", 1), linked("x\0y", 1), linked(7, 1), linked("f", "many")],
    ]
    own = options.model_copy(update={"fortnite_account_id": SecretStr("me")})
    numbers = await cycle(db, own, TS)
    assert await samples(db) == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
    assert (numbers.creators, numbers.rejected) == (1, 5)
    path = "/api/v1/creator/page/maker?limit=100&playerId=me"
    assert upstream.paths("creator/page") == [path, f"{path}&olderThan=1", f"{path}&olderThan=2"]
    row = await db.fetch_one(
        "select class, state, attempts, due_at - now() as away from engine.crawl "
        "where resource = 'fortnite.creator_page'"
    )
    assert (row["class"], row["state"], row["attempts"]) == (2, "active", 0)
    assert timedelta(hours=5) < row["away"] < timedelta(hours=12)


async def test_pages_of_a_creator_that_repeat_or_never_end_stop(
    db: Database, options: Settings, upstream: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creators, "MOST_PAGES", 4)
    await creator(db, "circle", "a")
    await creator(db, "endless", "b")
    upstream.creators["circle"] = [[linked("a", 1, "0")], []]
    upstream.creators["endless"] = [[linked(f"e{n}", 1, f"{n + 1}")] for n in range(50)]
    await cycle(db, options, TS)
    assert await samples(db) == {"a": 1} | {f"e{n}": 1 for n in range(4)}
    assert len(upstream.paths("circle")) == 2
    assert len(upstream.paths("endless")) == 4


async def test_a_creator_the_service_refuses_comes_later_with_the_reason(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await creator(db, "gone", "a")
    await creator(db, "private", "b")
    said = {"gone": answer(404), "private": FORBIDDEN}
    upstream.wrong = lambda request: next(
        (text for name, text in said.items() if name in request.line), None
    )
    await cycle(db, options, TS)
    rows = await db.fetch(
        "select key, class, attempts, last_error, due_at > now() as later from engine.crawl "
        "where resource = 'fortnite.creator_page' order by key"
    )
    assert all(row["later"] for row in rows)
    assert (rows[0]["class"], rows[0]["attempts"], rows[0]["last_error"]) == (3, 0, None)
    assert rows[1]["attempts"] == 1
    assert "errors.no.permission" in rows[1]["last_error"]


async def known(db: Database) -> list[str]:
    """Twenty-five creators with an island each."""
    names = [f"maker{n}" for n in range(25)]
    for name in names:
        await creator(db, name, f"of-{name}")
    return names


@pytest.mark.parametrize(
    "told",
    [FORBIDDEN, answer(302, Location="https://login.example/"), answer(404)],
    ids=["forbidden", "redirected", "no such path"],
)
async def test_a_service_that_refuses_one_after_another_is_asked_no_more_and_nobody_blamed(
    db: Database, options: Settings, upstream: Fake, told: bytes
) -> None:
    await known(db)
    upstream.wrong = lambda request: told if "creator/page" in request.line else None
    assert not (await cycle(db, options, TS)).complete
    asked = len(upstream.paths("creator/page"))
    assert DOUBTED <= asked < DOUBTED + LANES
    rows = await db.fetch(SETTLED)
    assert len(rows) == asked
    assert all((r["class"], r["attempts"], r["last_error"]) == (0, 0, None) for r in rows)


async def test_pages_that_the_service_knows_are_not_there_are_believed_however_many(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await known(db)
    told = answer(404, b'{"errorCode": "errors.not.found"}')
    upstream.wrong = lambda request: told if "creator/page" in request.line else None
    await cycle(db, options, TS)
    rows = await db.fetch(SETTLED)
    assert [(row["class"], row["attempts"]) for row in rows] == [(3, 0)] * 25


async def test_a_service_that_answers_some_refuses_the_others_for_what_they_are(
    db: Database, options: Settings, upstream: Fake
) -> None:
    makers = await known(db)
    upstream.creators = {name: [[]] for name in makers}
    answered = makers[::5]
    upstream.wrong = lambda request: (
        FORBIDDEN
        if "creator/page" in request.line
        and not any(f"/{name}?" in request.line for name in answered)
        else None
    )
    await cycle(db, options, TS)
    blamed = {row["key"] for row in await db.fetch(SETTLED) if row["attempts"] == 1}
    assert blamed == {*makers} - {*answered}


async def test_creators_never_asked_come_first_then_those_with_players(
    db: Database, options: Settings, upstream: Fake
) -> None:
    for name, players in [("none", 0), ("few", 50), ("many", 20_000)]:
        await creator(db, name, f"of-{name}")
        upstream.creators[name] = [[linked(f"of-{name}", players)]]
    await cycle(db, options, TS)
    rows = await db.fetch(
        "select key, class, extract(epoch from due_at - now())::float8 / 60 as minutes "
        "from engine.crawl where resource = 'fortnite.creator_page'"
    )
    found = {row["key"]: (row["class"], row["minutes"]) for row in rows}
    assert found["many"][0] == 1
    assert 8 < found["many"][1] < 11.5
    assert found["few"][0] == 2
    assert 95 < found["few"][1] < 125
    assert found["none"][0] == 3
    assert 640 < found["none"][1] < 800
    # an hour later only the one with most players is due, and whoever is new
    await db.execute("update engine.crawl set due_at = due_at - interval '1 hour'")
    await creator(db, "fresh", "of-fresh")
    upstream.creators["fresh"] = [[]]
    upstream.asked.clear()
    await cycle(db, options, TS + timedelta(hours=1))
    assert sorted(path.split("/")[5].split("?")[0] for path in upstream.paths("creator")) == [
        "fresh",
        "many",
    ]


async def test_no_more_pages_are_asked_for_than_the_rate_allows(
    db: Database, options: Settings, upstream: Fake
) -> None:
    assert ccu.page_requests(30, 570) == 285
    assert ccu.page_requests(30, -5) == 0
    for n in range(30):
        await creator(db, f"maker{n:02}", f"m{n}")
        upstream.creators[f"maker{n:02}"] = [[linked(f"m{n}", 1, "1")], [linked(f"n{n}", 1)]]
    account = credentials(options)
    assert account is not None
    numbers = CycleNumbers(TS)
    async with open_discovery(db, options, account) as discovery:
        end = asyncio.get_running_loop().time() + 60
        await creators.sample_creators(Cycle(db, options, discovery, numbers, end), 7)
    # who was begun with is read to the end
    assert numbers.creators == 7
    assert len(upstream.paths("creator/page")) == len(await samples(db)) == 14


async def test_nobody_is_begun_with_for_whom_there_is_no_time(
    db: Database, options: Settings, upstream: Fake
) -> None:
    for n in range(3):
        await creator(db, f"maker{n}", f"m{n}")
        upstream.creators[f"maker{n}"] = [[linked(f"m{n}", 1)]]
    account = credentials(options)
    assert account is not None
    slow = options.model_copy(update={"fortnite_creators_per_minute": 30})
    numbers = CycleNumbers(TS)
    async with open_discovery(db, slow, account) as discovery:
        for seconds, asked in ((6, 0), (10, 2)):
            end = asyncio.get_running_loop().time() + seconds
            await creators.sample_creators(Cycle(db, slow, discovery, numbers, end), 100)
            assert len(upstream.paths("creator/page")) == asked
            assert numbers.complete


async def test_what_a_dead_worker_had_in_hand_is_done_by_the_next(
    db: Database, options: Settings, upstream: Fake
) -> None:
    for n in range(3):
        await creator(db, f"maker{n}", f"m{n}")
        upstream.creators[f"maker{n}"] = [[linked(f"m{n}", 1)]]
    await db.execute("select fortnite.meet_creators()")
    lease = await claim(db, creators.PAGES, 3, options)
    assert lease is not None
    await abandon(db, creators.PAGES, lease)
    numbers = await cycle(db, options, TS + timedelta(minutes=10))
    assert numbers.creators == 3
    assert await samples(db, TS + timedelta(minutes=10)) == {"m0": 1, "m1": 1, "m2": 1}


async def test_a_cycle_that_is_cancelled_gives_back_the_creators_it_holds(
    db: Database, options: Settings, upstream: Fake
) -> None:
    for n in range(3):
        await creator(db, f"maker{n}", f"m{n}")
        upstream.creators[f"maker{n}"] = [[linked(f"m{n}", 1)]]
    upstream.delay = 1
    task = asyncio.create_task(cycle(db, options, TS))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    rows = await db.fetch(
        "select distinct attempts, leased_until = '-infinity' as free from engine.crawl "
        "where resource = 'fortnite.creator_page'"
    )
    assert rows == [{"attempts": 0, "free": True}]


class Dying(Database):
    """A database whose worker dies when it stores samples."""

    async def fetch(
        self, query: LiteralString, params: Params = (), *, binary: bool = False
    ) -> list[DictRow]:
        if "store_ccu" in query:
            raise RuntimeError("killed")
        return await super().fetch(query, params, binary=binary)


async def test_a_creator_is_settled_after_its_samples_are_stored(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await creator(db, "maker", "a")
    upstream.creators["maker"] = [[linked("a", 1)]]
    with pytest.raises(RuntimeError, match="killed"):
        await cycle(Dying(db._pool), options, TS)
    row = await db.fetch_one(
        "select last_fetched_at, leased_until > now() as held from engine.crawl "
        "where resource = 'fortnite.creator_page'"
    )
    assert row == {"last_fetched_at": None, "held": True}
