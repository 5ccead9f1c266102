"""CCU cycles: what is a sample, what is not, and what goes on when something fails."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString

import pytest
from psycopg.rows import DictRow
from structlog.testing import capture_logs

from etl.engine.database import Database, Params
from etl.engine.errors import Unauthorized
from etl.fortnite import ccu, listing
from etl.fortnite.account import OFF
from etl.fortnite.ccu import cycle
from etl.fortnite.cycle import Cycle, CycleNumbers
from etl.settings import Settings
from tests.fortnite.samples import TS, creator, listings, popular, rejected, samples
from tests.fortnite.upstream import Fake, entry, linked, raw
from tests.wire import Request, answer


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
    upstream.delay, upstream.delayed = 0.3, "creator/page"

    def wrong(request: Request) -> bytes | None:
        if b"c000" in request.body:
            return answer(500)
        return answer(body=b"{}")[:-1] + b"[" if "broken" in request.line else None

    upstream.wrong = wrong
    numbers = await cycle(db, options, TS)
    assert (numbers.asked, numbers.failed, numbers.complete) == (250, 2, False)
    found = await samples(db)
    assert len(found) == numbers.stored in {151, 152}  # a page may come before the failure it mends
    assert found["c000"] == 9  # nobody answered for it by code
    assert found["c249"] == 2
    assert await listings(db) == {
        "entries": (250, 150, 0, False),
        "creator_page": (0, 1, 0, False),
    }
    # who could not be read is asked once, not blamed, and comes again in the next cycle
    assert len(upstream.paths("broken")) == 1
    row = await db.fetch_one(
        "select attempts, last_error, due_at - now() as away, leased_until = '-infinity' as free "
        "from engine.crawl where key = 'broken' and resource = 'fortnite.creator_page'"
    )
    assert (row["attempts"], row["last_error"], row["free"]) == (0, None, True)
    assert timedelta(minutes=9) < row["away"] < timedelta(minutes=10)
    upstream.wrong = lambda _: None
    again = await cycle(db, options, TS)
    assert again.complete
    assert (await samples(db)).keys() >= set(codes)


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
    monkeypatch.setattr(ccu, "CYCLE_S", 21.0)
    codes = [f"c{n:04}" for n in range(2000)]
    await popular(db, *codes)
    for n in range(30):
        await creator(db, f"maker{n}", f"m{n}")
        upstream.creators[f"maker{n}"] = [[linked(f"m{n}", 1)]]
    upstream.entries = {code: entry(2) for code in codes}
    upstream.delay = 0.3
    started = time.monotonic()
    numbers = await cycle(db, options, TS)
    assert time.monotonic() - started < 10
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
        "count(*) filter (where due_at <= now() + interval '5 seconds') as due "
        "from engine.crawl where resource = 'fortnite.creator_page'"
    )
    assert (row["held"], row["blamed"]) == (0, 0)
    assert row["due"] == 30 - numbers.creators


async def test_a_request_that_hangs_does_not_outlast_the_cycle(
    db: Database, options: Settings, upstream: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccu, "CYCLE_S", 21.0)
    await popular(db, "a")
    await creator(db, "maker", "b")
    upstream.creators["maker"] = [[]]
    upstream.delay = 20
    started = time.monotonic()
    numbers = await cycle(db, options.model_copy(update={"http_timeout": 30.0}), TS)
    assert time.monotonic() - started < 10
    assert not numbers.complete


async def test_its_end_is_that_of_its_ten_minutes_or_ten_minutes_away(
    db: Database, options: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []

    async def note(sampling: Cycle, _: int) -> None:
        ends.append(sampling.end - asyncio.get_running_loop().time())

    monkeypatch.setattr(ccu, "sample_creators", note)
    clock = await db.fetch_one("select now() as now")
    await cycle(db, options)
    await cycle(db, options, TS + timedelta(minutes=5))
    late = 580 - ends[0] - clock["now"].timestamp() % 600
    assert min(abs(late), abs(late + 600)) < 5  # a new cycle may have begun meanwhile
    assert ends[1] == pytest.approx(580, abs=5)


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
    codes = [f"c{n:04}" for n in range(3000)]
    await popular(db, *codes)
    await creator(db, "maker", "c0000")
    upstream.entries = {code: entry(2) for code in codes}
    upstream.creators["maker"] = [[]]
    upstream.delay = 0.05
    upstream.wrong = lambda _: answer(401) if len(upstream.paths("link-entries")) > 4 else None
    with pytest.raises(Unauthorized, match="401"):
        await cycle(db, options, TS)
    assert 100 <= len(await samples(db)) < 900
    assert (await listings(db))["entries"][3] is False
    assert len(upstream.asked) < 25
    row = await db.fetch_one(
        "select attempts, last_error from engine.crawl where resource = 'fortnite.creator_page'"
    )
    assert row == {"attempts": 0, "last_error": None}


class Watching(Database):
    """Notes how large the batches are that are stored."""

    sizes: list[int]

    async def fetch(
        self, query: LiteralString, params: Params = (), *, binary: bool = False
    ) -> list[DictRow]:
        if "store_ccu" in query:
            assert isinstance(params, Sequence)
            self.sizes.append(len(params[2]))
        return await super().fetch(query, params, binary=binary)


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


async def test_without_credentials_it_is_off_and_says_so(
    db: Database, options: Settings, upstream: Fake
) -> None:
    nobody = options.model_copy(
        update={"fortnite_client_id": None, "fortnite_client_secret": None, "token_key": None}
    )
    with capture_logs() as logged:
        numbers = await cycle(db, nobody, TS)
    assert (numbers.stored, numbers.complete) == (0, False)
    assert [line["event"] for line in logged] == [OFF]
    assert "CCU" in OFF
    assert upstream.asked == []
    assert await listings(db) == {}


def test_numbers_are_json() -> None:
    numbers = CycleNumbers(TS, stored=3)
    assert raw(numbers.as_dict()).startswith(b'{"ts": "2026-11-20T12:10:00+00:00", "asked": 0')
