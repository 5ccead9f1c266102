"""Islands that come wrong, from each service: set aside with their reason, the others unharmed."""

from datetime import timedelta

import pytest

from etl.engine.database import Database
from etl.engine.errors import Transient
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.islands import refresh_islands
from etl.settings import Settings
from etl.simulator.process import Running
from tests.faults.world import TS, Truth, samples, time_passes, wrong_in

ALL = 100_000


async def rejected(db: Database, resource: str) -> dict[str | None, str]:
    rows = await db.fetch(
        "select key, reason, body from raw.rejected where resource = %s", (resource,)
    )
    assert all(len(row["body"]) > 0 for row in rows)
    return {row["key"]: row["reason"] for row in rows}


async def strike(sim: Running, route: str, codes: list[str], *kinds: str) -> dict[str, str]:
    """Let something else be wrong with each island; gives what, by code."""
    struck = dict(zip(codes, kinds, strict=False))
    for code, kind in struck.items():
        await sim.fault(route, kind, codes=[code])
    return struck


def assert_reasons(
    found: dict[str | None, str], struck: dict[str, str], said: dict[str, str]
) -> None:
    for code, kind in struck.items():
        assert said[kind] in found.pop(code, ""), kind
    assert not found


async def settled(db: Database, options: Settings) -> None:
    """All is listed and fetched."""
    await ingest(db, options)
    await refresh_islands(db, options, ALL)


REASONS = {
    "types": "Expected `str | null`, got `int` - at `$.title`",
    "nul": "unsupported Unicode escape",
    "surrogate": "half a surrogate pair",
    "nan": "no valid JSON",
    "huge": "more than the 1000000 allowed",
}


async def test_wrong_islands_of_the_catalogue(
    db: Database, options: Settings, sim: Running, truth: Truth
) -> None:
    codes = [code for code, body in truth.listed.items() if "createdIn" in body]
    struck = await strike(sim, "islands", codes[::30], *REASONS)
    nameless, twice, left_out = codes[41], codes[42], codes[43]
    await sim.fault("islands", "shape", codes=[nameless])
    await sim.fault("islands", "duplicate", codes=[twice])
    await sim.fault("islands", "vanish", codes=[left_out])
    bad = [*struck, nameless, left_out]

    numbers = await ingest(db, options)
    assert (numbers.landed, numbers.rejected) == (len(truth.listed) - len(bad), len(struck) + 1)
    found = await rejected(db, "fortnite.catalogue")
    assert "no code to be read" in found.pop(None)
    assert_reasons(found, struck, REASONS)

    await refresh_islands(db, options, ALL)
    hidden = truth.links.keys() - truth.listed.keys()
    assert await wrong_in(db, truth, *bad, *hidden) == {}

    await sim.clear_faults()
    await settled(db, options)
    assert await wrong_in(db, truth, *hidden) == {}
    assert len(await rejected(db, "fortnite.catalogue")) == len(struck) + 1


async def test_wrong_islands_of_links(
    db: Database, options: Settings, sim: Running, truth: Truth
) -> None:
    codes = list(truth.listed)
    struck = await strike(sim, "links", codes[5::30], *REASONS)
    twice, left_out = codes[60], codes[70]
    await sim.fault("links", "duplicate", codes=[twice])
    await sim.fault("links", "vanish", codes=[left_out])
    hidden = truth.links.keys() - truth.listed.keys()

    await ingest(db, options)
    numbers = await refresh_islands(db, options, ALL)
    assert (numbers.rejected, numbers.missing, numbers.failed) == (len(struck), 1, 0)
    assert_reasons(await rejected(db, "fortnite.island"), struck, LINK_REASONS)
    rows = await db.fetch(
        "select key, state, attempts, last_error, due_at > now() + interval '1 minute' as later "
        "from engine.crawl where resource = 'fortnite.island' and key = any(%s)",
        ([*struck, left_out],),
    )
    for row in rows:
        gone = row["key"] == left_out
        assert (row["state"], row["later"]) == ("gone" if gone else "active", True)
        assert row["attempts"] == (0 if gone else 1)
        assert (row["last_error"] or "") == (
            "" if gone else (await rejected(db, "fortnite.island"))[row["key"]]
        )
    assert await wrong_in(db, truth, *struck, left_out, *hidden) == {}

    await sim.clear_faults()
    await time_passes(db)
    await refresh_islands(db, options, ALL)
    assert await wrong_in(db, truth, *hidden) == {}
    changes = await db.fetch(
        "select i.code, c.fields from fortnite.island_change as c "
        "join fortnite.island as i using (island_id)"
    )
    assert not changes, "nothing changed in the world"


LINK_REASONS = REASONS | {"types": "Expected `str"}


async def test_wrong_counts(db: Database, options: Settings, sim: Running, truth: Truth) -> None:
    await settled(db, options)
    played = [code for code, ccu in truth.samples.items() if ccu > 0 and code in truth.listed]

    struck = await strike(sim, "creator", played[::10], "types", "nan")
    nameless, twice, left_out = played[1:4]
    await sim.fault("creator", "shape", codes=[nameless])
    await sim.fault("creator", "duplicate", codes=[twice])
    await sim.fault("creator", "vanish", codes=[left_out])
    numbers = await cycle(db, options, TS)
    assert (numbers.rejected, numbers.complete) == (len(struck) + 1, True)
    found = await rejected(db, "fortnite.ccu")
    assert "no linkCode to be read" in found.pop(None)
    assert_reasons(found, struck, COUNT_REASONS)
    assert await samples(db) == without(truth.samples, *struck, nameless, left_out)

    # they have players now, so they are asked for by code
    later = TS + timedelta(minutes=10)
    await time_passes(db)
    await sim.clear_faults()
    struck = await strike(sim, "entries", played[7::10], "types", "nan", "shape")
    await sim.fault("entries", "duplicate", codes=[twice])
    await sim.fault("entries", "vanish", codes=[played[4]])
    numbers = await cycle(db, options, later)
    assert (numbers.rejected, numbers.complete) == (len(struck), True)
    assert await samples(db, later) == without(truth.samples, *struck, played[4])
    assert_reasons(
        {k: v for k, v in (await rejected(db, "fortnite.ccu")).items() if k in struck},
        struck,
        COUNT_REASONS,
    )

    later += timedelta(minutes=10)
    await time_passes(db)
    await sim.clear_faults()
    await cycle(db, options, later)
    assert await samples(db, later) == truth.samples


COUNT_REASONS = {
    "types": "Expected `int",
    "nan": "no valid JSON",
    "shape": "Expected `object`, got `array`",
}


def without(counts: dict[str, int], *codes: str) -> dict[str, int]:
    return {code: ccu for code, ccu in counts.items() if code not in codes}


async def test_a_catalogue_that_leads_in_circles(
    db: Database, options: Settings, sim: Running, truth: Truth
) -> None:
    await sim.fault("islands", "cursor")
    before = (await sim.state())["served"]["islands"]
    for _ in range(2):
        with pytest.raises(Transient, match="leads back to cursor"):
            await ingest(db, options)
    assert (await sim.state())["served"]["islands"] < before + 10
    await sim.clear_faults()
    await settled(db, options)
    hidden = truth.links.keys() - truth.listed.keys()
    assert await wrong_in(db, truth, *hidden) == {}


async def test_islands_that_vanish_and_come_back(
    db: Database, options: Settings, sim: Running, truth: Truth
) -> None:
    await settled(db, options)
    hidden = truth.links.keys() - truth.listed.keys()
    gone = list(truth.listed)[10::60]
    await sim.vanish(*gone)
    try:
        await time_passes(db)
        await ingest(db, options)
        numbers = await refresh_islands(db, options, ALL)
        assert numbers.missing == len(gone)
        assert await wrong_in(db, truth, *gone, *hidden) == {}
        rows = await db.fetch("select code from fortnite.island where gone_at is not null")
        assert sorted(row["code"] for row in rows) == sorted(gone)
    finally:
        await sim.restore(*gone)
    await time_passes(db)
    await refresh_islands(db, options, ALL)
    assert await wrong_in(db, truth, *hidden) == {}
    rows = await db.fetch(
        "select fields, count(*) as n from fortnite.island_change group by fields"
    )
    assert [(row["fields"], row["n"]) for row in rows] == [(["gone_at"], 2 * len(gone))]
