"""CCU cycles: what is a sample, what is not, and what goes on when something fails."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import pytest
from psycopg.rows import DictRow
from pydantic import SecretStr

from etl.engine.database import Database, Params, open_database
from etl.engine.errors import Unauthorized
from etl.fortnite import ccu, creators, listing
from etl.fortnite.account import credentials
from etl.fortnite.ccu import cycle
from etl.fortnite.client import open_discovery
from etl.fortnite.cycle import Cycle, CycleNumbers
from etl.settings import Settings
from tests.fortnite.upstream import Fake, entry, fake, linked, pointed, raw
from tests.wire import Request, answer

TS = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=6) as opened:
        yield opened


@pytest.fixture
async def upstream() -> AsyncIterator[Fake]:
    async with fake() as made:
        yield made


@pytest.fixture
def options(settings: Settings, upstream: Fake) -> Settings:
    return pointed(settings, upstream.url)


async def popular(db: Database, *codes: str) -> None:
    """Make these islands candidates: each has a sample above zero in the cycle before."""
    await db.execute(
        "select fortnite.store_ccu(%s, 'test', %s::text[], array_fill(1, array[%s]))",
        (TS - timedelta(minutes=10), list(codes), len(codes)),
    )


async def creator(db: Database, account: str, *codes: str) -> None:
    """Make an account known as the creator of these islands."""
    await db.execute("select fortnite.meet_islands(%s::text[], 'test', now())", (list(codes),))
    await db.execute(
        "update fortnite.island set creator_account_id = %s where code = any(%s)",
        (account, list(codes)),
    )


async def samples(db: Database, ts: datetime = TS) -> dict[str, int]:
    rows = await db.fetch(
        "select i.code, c.ccu from fortnite.ccu as c "
        "join fortnite.island as i using (island_id) where c.ts = %s",
        (ts,),
    )
    return {row["code"]: row["ccu"] for row in rows}


async def listings(db: Database, ts: datetime = TS) -> dict[str, tuple[int, int, int, bool]]:
    rows = await db.fetch("select * from fortnite.ccu_cycle where ts = %s", (ts,))
    assert all(row["finished_at"] is not None for row in rows)
    return {
        row["source"]: (row["expected"], row["observed"], row["negative"], row["complete"])
        for row in rows
    }


async def rejected(db: Database) -> dict[str | None, str]:
    rows = await db.fetch("select key, reason from raw.rejected where resource = 'fortnite.ccu'")
    return {row["key"]: row["reason"] for row in rows}


async def test_zero_is_a_sample_and_negative_null_or_absent_is_none(
    db: Database, options: Settings, upstream: Fake
) -> None:
    codes = ["1111-1111-1111", "playlist_x", "zero", "negative", "null", "absent"]
    await popular(db, *codes)
    upstream.entries = {
        "1111-1111-1111": entry(12),
        "playlist_x": {"globalCCU": 2**31 - 1},
        "zero": entry(0),
        "negative": entry(-1),
        "null": entry(None),
        "not asked for": entry(5),
    }
    numbers = await cycle(db, options, TS + timedelta(minutes=9, seconds=59))
    assert await samples(db) == {"1111-1111-1111": 12, "playlist_x": 2**31 - 1, "zero": 0}
    assert (numbers.ts, numbers.asked, numbers.stored, numbers.skipped) == (TS, 6, 3, 3)
    assert numbers.complete
    assert await listings(db) == {"entries": (6, 3, 3, True), "creator_page": (0, 0, 0, True)}


async def test_an_entry_that_cannot_be_read_is_set_aside_and_the_rest_stored(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await popular(db, "good", "types", "list", "huge", "nan", "float", "surrogate")
    upstream.entries = {
        "good": entry(3),
        "types": entry("many"),
        "list": ["neither"],
        "huge": entry(2**31),
        "nan": entry(float("nan")),
        "float": entry(1.5),
        "surrogate": entry(7) | {"linkCode": "\ud83d"},
    }
    numbers = await cycle(db, options, TS)
    assert await samples(db) == {"good": 3}
    assert numbers.rejected == 6
    found = await rejected(db)
    assert found.keys() == {"types", "list", "huge", "nan", "float", "surrogate"}
    assert "globalCCU" in found["types"]
    assert "half a surrogate pair" in found["surrogate"]


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


async def test_a_code_that_both_listings_have_is_stored_once(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await popular(db, "both")
    await creator(db, "maker", "both")
    upstream.entries = {"both": entry(5)}
    upstream.creators["maker"] = [[linked("both", 6), linked("own", 7)]]
    numbers = await cycle(db, options, TS)
    assert await samples(db) == {"both": 5, "own": 7}
    assert numbers.stored == 2


async def test_a_failed_request_leaves_the_cycle_incomplete_and_the_rest_goes_on(
    db: Database, options: Settings, upstream: Fake
) -> None:
    codes = [f"c{n:03}" for n in range(250)]
    await popular(db, *codes)
    await creator(db, "maker", "c000", "c249")
    await creator(db, "broken", "x")
    upstream.entries = {code: entry(2) for code in codes}
    upstream.creators["maker"] = [[linked("c000", 9), linked("c249", 9)]]
    upstream.creators["broken"] = [[]]
    upstream.delay = 0.05

    def wrong(request: Request) -> bytes | None:
        if b"c000" in request.body:
            return answer(500)
        return answer(body=b"{}")[:-1] + b"[" if "broken" in request.line else None

    upstream.wrong = wrong
    numbers = await cycle(db, options, TS)
    assert (numbers.asked, numbers.failed, numbers.complete) == (250, 2, False)
    assert len(await samples(db)) >= 150
    assert await listings(db) == {
        "entries": (250, 150, 0, False),
        "creator_page": (0, numbers.stored - 150, 0, False),
    }
    # who could not be read is asked once, not blamed, and comes again in the next cycle
    assert len(upstream.paths("broken")) == 1
    row = await db.fetch_one(
        "select attempts, last_error, due_at - now() as away, leased_until = '-infinity' as free "
        "from engine.crawl where key = 'broken'"
    )
    assert (row["attempts"], row["last_error"], row["free"]) == (0, None, True)
    assert timedelta(minutes=9) < row["away"] < timedelta(minutes=10)
    upstream.wrong = lambda _: None
    again = await cycle(db, options, TS)
    assert again.complete
    assert (await samples(db)).keys() >= set(codes)


async def test_a_creator_the_service_refuses_comes_later_with_the_reason(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await creator(db, "gone", "a")
    await creator(db, "private", "b")
    said = {"gone": answer(404), "private": answer(403, b'{"errorCode": "errors.no.permission"}')}
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


async def test_one_timestamp_and_a_repeated_cycle_overwrites_itself(
    db: Database, options: Settings, upstream: Fake
) -> None:
    await popular(db, "a", "b")
    upstream.entries = {"a": entry(5), "b": entry(6)}
    await cycle(db, options, TS)
    upstream.entries = {"a": entry(8), "b": entry(-1)}
    numbers = await cycle(db, options, TS + timedelta(minutes=3))
    assert (numbers.stored, numbers.skipped) == (1, 1)
    assert await samples(db) == {"a": 8, "b": 6}
    rows = await db.fetch("select distinct ts from fortnite.ccu_cycle")
    assert [row["ts"] for row in rows] == [TS]


async def test_now_is_the_clock_of_the_database(
    db: Database, options: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccu, "MARGIN_S", -60)
    before = await db.fetch_one("select now() as now")
    numbers = await cycle(db, options)
    assert timedelta(0) <= before["now"] - numbers.ts < timedelta(minutes=10)
    assert numbers.ts.minute % 10 == numbers.ts.second == numbers.ts.microsecond == 0
    assert numbers.complete


async def test_it_stops_before_the_next_cycle_and_keeps_what_it_has(
    db: Database, options: Settings, upstream: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccu, "CYCLE_S", 31.0)
    codes = [f"c{n:04}" for n in range(2000)]
    await popular(db, *codes)
    for n in range(30):
        await creator(db, f"maker{n}", f"m{n}")
        upstream.creators[f"maker{n}"] = [[linked(f"m{n}", 1)]]
    upstream.entries = {code: entry(2) for code in codes}
    upstream.delay = 0.3
    started = time.monotonic()
    numbers = await cycle(db, options, TS)
    assert time.monotonic() - started < 3
    assert not numbers.complete
    assert 100 <= numbers.stored < 2000
    found = await samples(db)
    assert len(found) == numbers.stored
    assert {source: said[3] for source, said in (await listings(db)).items()} == {
        "entries": False,
        "creator_page": False,
    }
    row = await db.fetch_one(
        "select count(*) filter (where leased_until > '-infinity') as held, "
        "count(*) filter (where attempts > 0) as blamed, "
        "count(*) filter (where due_at <= now()) as due "
        "from engine.crawl where resource = 'fortnite.creator_page'"
    )
    assert (row["held"], row["blamed"]) == (0, 0)
    assert row["due"] == 30 - numbers.creators


async def test_a_cycle_started_too_late_asks_nothing(
    db: Database, options: Settings, upstream: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccu, "CYCLE_S", 0)
    await popular(db, "a")
    numbers = await cycle(db, options)
    assert (numbers.stored, numbers.complete) == (0, False)
    assert upstream.paths("link-entries") == []


async def test_a_token_that_is_not_taken_stops_the_cycle_and_says_so(
    db: Database, options: Settings, upstream: Fake
) -> None:
    codes = [f"c{n:03}" for n in range(900)]
    await popular(db, *codes)
    await creator(db, "maker", "c000")
    upstream.entries = {code: entry(2) for code in codes}
    upstream.creators["maker"] = [[]]
    upstream.delay = 0.05
    upstream.wrong = lambda _: answer(401) if len(upstream.paths("link-entries")) > 4 else None
    with pytest.raises(Unauthorized, match="401"):
        await cycle(db, options, TS)
    assert 100 <= len(await samples(db)) < 900
    assert {source: said[3] for source, said in (await listings(db)).items()} == {
        "entries": False,
        "creator_page": False,
    }
    assert len(upstream.asked) < 25
    row = await db.fetch_one(
        "select attempts, last_error from engine.crawl where resource = 'fortnite.creator_page'"
    )
    assert row == {"attempts": 0, "last_error": None}


class Watching(Database):
    """Notes how large the batches are that are stored."""

    sizes: list[int]

    async def fetch(self, query: LiteralString, params: Params = ()) -> list[DictRow]:
        if "store_ccu" in query:
            assert isinstance(params, Sequence)
            self.sizes.append(len(params[2]))
        return await super().fetch(query, params)


async def test_samples_are_stored_in_batches(
    db: Database, options: Settings, upstream: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BATCH", 250)
    codes = [f"c{n:04}" for n in range(1110)]
    await popular(db, *codes)
    upstream.entries = {code: entry(2) for code in codes}
    watching = Watching(db._pool)
    watching.sizes = []
    numbers = await cycle(watching, options, TS)
    assert numbers.stored == len(await samples(db)) == 1110
    assert sorted(watching.sizes) == [110, 250, 250, 250, 250]


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
    assert ccu.page_requests(30, 570) == 256
    assert ccu.page_requests(30, -5) == 0
    for n in range(30):
        await creator(db, f"maker{n:02}", f"m{n}")
        upstream.creators[f"maker{n:02}"] = [[linked(f"m{n}", 1)]]
    account = credentials(options)
    assert account is not None
    numbers = CycleNumbers(TS)
    async with open_discovery(db, options, account) as discovery:
        end = asyncio.get_running_loop().time() + 60
        await creators.sample_creators(Cycle(db, options, discovery, numbers, end), 7)
    assert numbers.creators == len(upstream.paths("creator/page")) == 7
    assert len(await samples(db)) == 7


async def test_without_credentials_it_is_off_and_says_so(
    db: Database, options: Settings, upstream: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = options.model_copy(
        update={"fortnite_client_id": None, "fortnite_client_secret": None, "token_key": None}
    )
    numbers = await cycle(db, nobody, TS)
    assert (numbers.stored, numbers.complete) == (0, False)
    assert "CCU are off" in capsys.readouterr().out
    assert upstream.asked == []
    assert await listings(db) == {}


async def test_what_a_dead_worker_had_in_hand_is_done_by_the_next(
    db: Database, options: Settings, upstream: Fake
) -> None:
    for n in range(3):
        await creator(db, f"maker{n}", f"m{n}")
        upstream.creators[f"maker{n}"] = [[linked(f"m{n}", 1)]]
    short = options.model_copy(update={"crawl_lease": 0.3})
    upstream.delay = 1
    task = asyncio.create_task(cycle(db, short, TS))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    upstream.delay = 0
    numbers = await cycle(db, options, TS + timedelta(minutes=10))
    assert numbers.creators == 3
    assert await samples(db, TS + timedelta(minutes=10)) == {"m0": 1, "m1": 1, "m2": 1}


def test_numbers_are_json() -> None:
    numbers = CycleNumbers(TS, stored=3)
    assert raw(numbers.as_dict()).startswith(b'{"ts": "2026-11-20T12:10:00+00:00", "asked": 0')
