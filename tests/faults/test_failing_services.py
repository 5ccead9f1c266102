"""Services that fail as a whole: nobody is blamed, nothing is lost, and what is left comes later."""

from typing import Any

import pytest

from etl.engine.database import Database
from etl.engine.errors import Refused, Transient
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.islands import refresh_islands
from etl.settings import Settings
from etl.simulator.process import Running
from tests.faults.world import PAGE, TS, Truth, samples, time_passes, wrong_in

ALL = 100_000

KINDS: dict[str, dict[str, Any]] = {
    "429": {"kind": "throttle"},
    "429 with Retry-After": {"kind": "throttle", "retry_after": 2},
    "500": {"kind": "error", "status": 500},
    "time-out": {"kind": "hang"},
    "cut": {"kind": "cut"},
    "empty 200": {"kind": "empty"},
    "no JSON": {"kind": "html"},
    "another shape": {"kind": "wrong"},
}


@pytest.mark.parametrize("fault", KINDS.values(), ids=KINDS)
async def test_what_fails_in_the_middle_is_done_later(
    db: Database, options: Settings, sim: Running, truth: Truth, fault: dict[str, Any]
) -> None:
    """The second page, the second and third lookup, two of the creators fail."""
    hidden = truth.links.keys() - truth.listed.keys()
    hasty = options.model_copy(update={"http_timeout": 1.5}) if fault["kind"] == "hang" else options

    await sim.fault("islands", skip=1, times=1, **fault)
    with pytest.raises(Transient):
        await ingest(db, hasty)
    assert await listed(db) == PAGE
    await db.execute("update engine.throttle set closed_until = '-infinity'")
    await ingest(db, options)
    assert await listed(db) == len(truth.listed)

    await sim.fault("links", skip=1, times=1, **fault)
    numbers = await refresh_islands(db, hasty, ALL)
    assert (numbers.landed, numbers.failed, numbers.rejected) == (PAGE, PAGE, 0)
    assert await blamed(db) == []
    await time_passes(db)
    numbers = await refresh_islands(db, options, ALL)
    assert numbers.changed == len(truth.listed) - PAGE
    assert await wrong_in(db, truth, *hidden) == {}

    if fault == KINDS["429"]:
        return  # the cycle would wait half a minute for its turn
    await sim.fault("creator", skip=3, times=2, **fault)
    cycled = await cycle(db, hasty, TS)
    assert not cycled.complete
    assert cycled.failed >= 1
    assert await blamed(db) == []
    there = await samples(db)
    assert len(truth.samples) // 2 < len(there) < len(truth.samples)
    assert there == {code: truth.samples[code] for code in there}
    await db.execute("update engine.crawl set due_at = now() where last_fetched_at is null")
    await db.execute("update engine.throttle set closed_until = '-infinity'")
    assert (await cycle(db, options, TS)).complete
    assert await samples(db) == truth.samples


async def test_a_404_for_all_of_a_lookup_is_nobodys_end(
    db: Database, options: Settings, sim: Running, truth: Truth
) -> None:
    """One of the codes may be why, so each is asked for alone, and then all of them are there."""
    hidden = truth.links.keys() - truth.listed.keys()
    await sim.fault("islands", "not_found", times=1)
    with pytest.raises(Refused, match="404"):
        await ingest(db, options)
    await ingest(db, options)

    before = (await sim.state())["served"]["links"]
    await sim.fault("links", "not_found", times=1)
    with pytest.raises(Refused, match="404"):
        await refresh_islands(db, options, ALL)
    numbers = await refresh_islands(db, options, ALL)
    assert numbers.landed == len(truth.listed)
    assert (await sim.state())["served"]["links"] > before + PAGE
    assert await blamed(db) == []
    assert await wrong_in(db, truth, *hidden) == {}


async def test_a_token_that_ends_or_is_not_to_be_had(
    db: Database, options: Settings, sim: Running, truth: Truth
) -> None:
    hidden = truth.links.keys() - truth.listed.keys()
    await ingest(db, options)
    await sim.fault("token", "error", status=503, times=1)
    numbers = await refresh_islands(db, options, ALL)
    assert (numbers.landed, numbers.failed) == (0, PAGE)
    assert await blamed(db) == []
    await time_passes(db)
    assert (await refresh_islands(db, options, PAGE)).landed == PAGE
    await sim.revoke_tokens()
    await time_passes(db)
    assert (await refresh_islands(db, options, ALL)).failed == 0
    assert await wrong_in(db, truth, *hidden) == {}


async def listed(db: Database) -> int:
    row = await db.fetch_one(
        "select count(*) as n from raw.document where resource = 'fortnite.catalogue'"
    )
    return int(row["n"])


async def blamed(db: Database) -> list[dict[str, Any]]:
    """Who is held, or was charged with the failure of another."""
    return await db.fetch(
        "select resource, key, attempts, last_error from engine.crawl "
        "where attempts > 0 or leased_until > '-infinity' or state = 'dead'"
    )
