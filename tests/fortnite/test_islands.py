"""Details of islands from the simulator: found, gone, hostile, refused."""

import re
from collections.abc import Sequence
from contextlib import suppress

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from etl.engine import http
from etl.engine.database import Database
from etl.engine.errors import Refused, Unauthorized
from etl.engine.items import Numbers
from etl.errors import PlainError
from etl.fortnite.account import OFF, credentials
from etl.fortnite.islands import refresh_islands
from etl.settings import Settings
from etl.simulator.process import Running
from tests.fortnite.upstream import fake, pointed
from tests.wire import answer

pytestmark = pytest.mark.asyncio(loop_scope="session")

FREE = (
    "select count(*) as n from engine.crawl where resource = 'fortnite.island' and attempts = 0 "
    "and leased_until = '-infinity' and state = 'active' and last_error is null "
    "and due_at <= now() + interval '10 minutes'"
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


async def due(db: Database, codes: Sequence[str]) -> None:
    await db.execute("select fortnite.meet_islands(%s::text[], 'test', now())", (list(codes),))


async def free(db: Database) -> int:
    return int((await db.fetch_one(FREE))["n"])


async def detailed(db: Database) -> set[str]:
    rows = await db.fetch("select code from fortnite.island where detailed_at is not null")
    return {row["code"] for row in rows}


async def crawled(db: Database, code: str) -> tuple[str, int, str | None]:
    row = await db.fetch_one(
        "select state, attempts, last_error from engine.crawl "
        "where resource = 'fortnite.island' and key = %s",
        (code,),
    )
    return row["state"], row["attempts"], row["last_error"]


async def rejected(db: Database) -> list[tuple[str | None, str]]:
    rows = await db.fetch("select key, reason from raw.rejected where resource = 'fortnite.island'")
    return [(row["key"], row["reason"]) for row in rows]


async def test_what_is_due_is_landed_a_hundred_in_a_request_and_what_is_gone_is_said_to_be(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await sim.codes(limit=240)
    await due(sim_db, [*codes, "0000-0000-0001", "playlist_nobody"])
    before = (await sim.state())["served"].get("links", 0)
    numbers = await refresh_islands(sim_db, sim_options, 1000)
    assert numbers == Numbers(landed=240, changed=240, missing=2)
    assert (await sim.state())["served"]["links"] - before == 3
    assert await detailed(sim_db) == set(codes)
    assert (await crawled(sim_db, "playlist_nobody"))[0] == "gone"
    assert await refresh_islands(sim_db, sim_options, 1000) == Numbers()


async def test_a_limit_is_kept(sim_db: Database, sim_options: Settings, sim: Running) -> None:
    await due(sim_db, await sim.codes(limit=240))
    assert (await refresh_islands(sim_db, sim_options, 150)).landed == 150


async def test_a_code_that_vanishes_is_gone_and_one_that_returns_is_back(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await sim.codes(limit=3)
    await due(sim_db, codes)
    await refresh_islands(sim_db, sim_options, 100)
    now = "update engine.crawl set due_at = now()"
    await sim.vanish(codes[0])
    try:
        await sim_db.execute(now)
        numbers = await refresh_islands(sim_db, sim_options, 100)
    finally:
        await sim.restore(codes[0])
    assert (numbers.landed, numbers.unchanged, numbers.missing) == (2, 2, 1)
    assert (await crawled(sim_db, codes[0]))[0] == "gone"
    gone = "select gone_at is not null as gone from fortnite.island where code = %s"
    assert (await sim_db.fetch_one(gone, (codes[0],)))["gone"]
    await sim_db.execute(now)
    assert (await refresh_islands(sim_db, sim_options, 100)).landed == 3
    assert not (await sim_db.fetch_one(gone, (codes[0],)))["gone"]


BAD = {
    "types": "Expected",
    "nul": "x0000|u0000|NUL|escape",
    "surrogate": "half a surrogate pair",
    "nan": "no valid JSON",
    "huge": "more than the",
}


@pytest.mark.parametrize("kind", BAD)
async def test_one_bad_item_is_set_aside_and_rescheduled_and_the_batch_goes_on(
    sim_db: Database, sim_options: Settings, sim: Running, kind: str
) -> None:
    codes = await sim.codes(limit=50)
    await due(sim_db, codes)
    await sim.fault("links", kind, codes=[codes[17]], times=1)
    numbers = await refresh_islands(sim_db, sim_options, 100)
    assert (numbers.landed, numbers.rejected, numbers.failed) == (49, 1, 0)
    assert await detailed(sim_db) == set(codes) - {codes[17]}
    ((key, reason),) = await rejected(sim_db)
    assert key == codes[17]
    assert re.search(BAD[kind], reason), reason
    state, attempts, error = await crawled(sim_db, codes[17])
    assert (state, attempts) == ("active", 1)
    assert error is not None
    assert re.search(BAD[kind], error), error
    await sim_db.execute("update engine.crawl set due_at = now()")
    await refresh_islands(sim_db, sim_options, 100)
    assert await detailed(sim_db) == set(codes)


async def test_an_item_that_does_not_say_whose_it_is_makes_nobody_gone(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await sim.codes(limit=50)
    await due(sim_db, [*codes, "0000-0000-0001"])
    await sim.fault("links", "shape", codes=[codes[17]], times=1)
    numbers = await refresh_islands(sim_db, sim_options, 100)
    assert (numbers.landed, numbers.rejected, numbers.missing) == (49, 1, 0)
    assert numbers.failed == 2
    ((key, reason),) = await rejected(sim_db)
    assert (key, "no mnemonic to be read" in reason) == (None, True)
    for code in (codes[17], "0000-0000-0001"):
        assert await crawled(sim_db, code) == ("active", 1, "upstream gave no answer for it")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttle", "retry_after": 40},
        {"kind": "throttle"},
        {"kind": "error", "status": 500},
        {"kind": "empty"},
        {"kind": "html"},
        {"kind": "cut"},
        {"kind": "hang"},
    ],
    ids=lambda fault: "-".join(str(part) for part in fault.values()),
)
async def test_a_request_that_fails_blames_no_island(
    sim_db: Database, sim_options: Settings, sim: Running, fault: dict[str, object]
) -> None:
    await due(sim_db, await sim.codes(limit=150))
    kind = str(fault["kind"])
    more = {name: value for name, value in fault.items() if name != "kind"}
    await sim.fault("links", kind, skip=1, **more)
    quick = sim_options.model_copy(update={"http_timeout": 0.5, "http_retries": 1})
    numbers = await refresh_islands(sim_db, quick, 1000)
    assert (numbers.landed, numbers.failed) == (100, 50)
    assert await free(sim_db) == 50
    later = await sim_db.fetch_one(
        "select count(distinct due_at) = 1 as together, max(due_at) > now() + interval '20 s' as later "
        "from engine.crawl where resource = 'fortnite.island' and last_fetched_at is null"
    )
    # at the instant the service tells, else one here and one there
    assert later == {"together": kind == "throttle", "later": True}


async def test_a_revoked_token_is_replaced(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    codes = await sim.codes(limit=20)
    await due(sim_db, codes[:10])
    assert (await refresh_islands(sim_db, sim_options, 100)).landed == 10
    await sim.revoke_tokens()
    await due(sim_db, codes)
    assert (await refresh_islands(sim_db, sim_options, 100)).landed == 10


async def test_credentials_that_are_refused_blame_no_island(
    sim_db: Database, sim_options: Settings, sim: Running
) -> None:
    await due(sim_db, await sim.codes(limit=20))
    wrong = sim_options.model_copy(update={"fortnite_device_secret": SecretStr("guess")})
    with pytest.raises(Unauthorized, match="invalid_account_credentials") as raised:
        await refresh_islands(sim_db, wrong, 100)
    assert "guess" not in str(raised.value)
    assert await free(sim_db) == 20


async def test_a_refusal_of_us_blames_nobody_and_one_of_the_request_is_narrowed_down(
    sim_db: Database, settings: Settings
) -> None:
    await due(sim_db, ["a", "b", "c"])
    async with fake() as made:
        options = pointed(settings, made.url, crawl_attempts=2)
        made.wrong = lambda _: answer(403)
        with pytest.raises(Refused, match="403"):
            await refresh_islands(sim_db, options, 100)
        assert await free(sim_db) == 3
        # the service chokes on b: each is asked for alone, and b is given up in the end
        await sim_db.execute("update engine.crawl set due_at = now()")
        made.wrong = lambda request: answer(400) if b'"b"' in request.body else answer(body=b"[]")
        made.asked.clear()
        for _ in range(6):
            with suppress(Refused):
                await refresh_islands(sim_db, options, 100)
        sizes = [
            request.body.count(b"mnemonic") for request in made.asked if request.body[:1] == b"["
        ]
        assert (sizes[0], set(sizes[1:])) == (3, {1})
    assert (await crawled(sim_db, "b"))[0] == "dead"
    assert (await crawled(sim_db, "a"))[0] == "gone"
    assert (await crawled(sim_db, "c"))[0] == "gone"


async def test_without_credentials_it_is_off_and_says_so(
    sim_db: Database, settings: Settings
) -> None:
    await due(sim_db, ["a"])
    nobody = pointed(settings, "http://127.0.0.1:9").model_copy(
        update={"fortnite_client_id": None, "fortnite_client_secret": None, "token_key": None}
    )
    with capture_logs() as logged:
        assert await refresh_islands(sim_db, nobody, 100) == Numbers()
    assert [line["event"] for line in logged] == [OFF]
    assert await free(sim_db) == 1


async def test_half_of_the_credentials_name_the_other_half(
    sim_db: Database, sim_options: Settings
) -> None:
    assert credentials(sim_options) is not None
    for missing, said in [
        ("fortnite_client_secret", "ETL_FORTNITE_CLIENT_ID also need ETL_FORTNITE_CLIENT_SECRET"),
        ("fortnite_account_id", "also need ETL_FORTNITE_ACCOUNT_ID"),
        ("fortnite_device_id", "also need ETL_FORTNITE_DEVICE_ID"),
        ("token_key", "ETL_TOKEN_KEY is not set"),
    ]:
        half = sim_options.model_copy(update={missing: None})
        with pytest.raises(PlainError, match=said):
            await refresh_islands(sim_db, half, 100)
