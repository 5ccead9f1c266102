"""CCU cycles of a whole simulated world: what the services say is what is stored."""

import re
from typing import Any

import pytest
import pytest_asyncio

from etl.engine import http
from etl.engine.database import Database
from etl.fortnite.catalogue import ingest
from etl.fortnite.ccu import cycle
from etl.fortnite.islands import refresh_islands
from etl.settings import Settings
from etl.simulator.process import Running, start
from tests.fortnite.conftest import NOW, UNLIMITED, simulated
from tests.fortnite.samples import TS, listings, popular, rejected, samples

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def truths(world: Running) -> dict[str, dict[str, Any]]:
    """What is so of the newest islands."""
    return {code: await world.truth(code) for code in await world.codes(limit=150)}


def told(truth: dict[str, Any]) -> bool:
    """Whether the services tell how many play it."""
    return truth["reported"] is not None and truth["reported"] >= 0


def of_one_creator(truths: dict[str, dict[str, Any]]) -> tuple[str, list[str]]:
    """A creator, and islands of its whose counts are told."""
    made: dict[str, list[str]] = {}
    for code, truth in truths.items():
        if told(truth):
            made.setdefault(truth["account"], []).append(code)
    return max(made.items(), key=lambda one: len(one[1]))


async def test_a_first_pass_finds_every_island_and_the_second_asks_for_those_with_players(
    sim_db: Database, settings: Settings
) -> None:
    async with start(islands=400, seed=3, hidden=0.05, now=NOW, speed=0, limit=UNLIMITED) as small:
        options = simulated(settings, small)
        await ingest(sim_db, options)
        while (await refresh_islands(sim_db, options, 1000)).landed:
            pass
        first = await cycle(sim_db, options, TS)
        hidden = await small.codes("hidden", limit=1000)
        found = await samples(sim_db)
        assert first.complete
        assert first.discovered == len(hidden) > 0
        assert first.stored == len(found)
        assert first.stored + first.skipped == 400 + len(hidden)
        for code in [*await small.codes(limit=100), *hidden]:
            truth = await small.truth(code)
            assert found.get(code) == (truth["reported"] if told(truth) else None), code
        met = await sim_db.fetch(
            "select code from fortnite.island where source = 'creator_page' and first_seen_at = %s",
            (TS,),
        )
        assert {row["code"] for row in met} == set(hidden)
        assert (await refresh_islands(sim_db, options, 1000)).landed == len(hidden)
        second = await cycle(sim_db, options, TS.replace(minute=20))
    playing = {code for code, ccu in found.items() if ccu > 0}
    assert second.asked == second.stored == len(playing)
    # only those with most players are on creator pages that are due again in the next cycle
    assert second.creators < 20


BAD = {
    "types": ("globalCCU|linkCode", True),
    "shape": ("Expected|no linkCode", True),
    "nan": ("no valid JSON", True),
    "surrogate": ("half a surrogate pair", True),
    "nul": ("cannot be a key", False),
    "huge": ("cannot be a key", False),
    "vanish": ("", False),
    "duplicate": ("", False),
}


@pytest.mark.parametrize("kind", BAD)
async def test_one_bad_entry_costs_nothing_but_itself(
    sim_db: Database,
    sim_options: Settings,
    sim: Running,
    truths: dict[str, dict[str, Any]],
    kind: str,
) -> None:
    codes = [code for code, truth in truths.items() if told(truth)]
    await popular(sim_db, *codes)
    await sim.fault("entries", kind, codes=[codes[30]])
    numbers = await cycle(sim_db, sim_options, TS)
    assert numbers.complete
    reason, entries = BAD[kind]
    lost = {codes[30]} if entries or kind == "vanish" else set()
    assert (await samples(sim_db)).keys() == set(codes) - lost
    why = await rejected(sim_db)
    assert why.keys() == ({codes[30]} if entries else set())
    assert all(re.search(reason, text) for text in why.values()), why


@pytest.mark.parametrize("kind", BAD)
async def test_one_bad_link_on_a_creator_page_costs_nothing_but_itself(
    sim_db: Database,
    sim_options: Settings,
    sim: Running,
    truths: dict[str, dict[str, Any]],
    kind: str,
) -> None:
    account, codes = of_one_creator(truths)
    assert len(codes) > 1
    await sim_db.execute(
        "with met as (select fortnite.meet_islands(%(codes)s::text[], 'test', now())) "
        "select from met",
        {"codes": codes[:1]},
    )
    await sim_db.execute("update fortnite.island set creator_account_id = %s", (account,))
    await sim.fault("creator", kind, codes=[codes[0]])
    numbers = await cycle(sim_db, sim_options, TS)
    assert numbers.complete
    reason, _ = BAD[kind]
    whole = kind == "duplicate"
    found = await samples(sim_db)
    assert (codes[0] in found) == whole
    assert found.keys() >= set(codes[1:])
    why = await rejected(sim_db)
    assert len(why) == (0 if kind in ("vanish", "duplicate") else 1)
    assert all(re.search(reason, text) for text in why.values()), why


KINDS = ("throttle", "error", "not_found", "empty", "html", "cut", "hang")


@pytest.mark.parametrize("fault", [(r, k) for r in ("entries", "creator") for k in KINDS])
async def test_a_failing_service_leaves_the_cycle_incomplete(
    sim_db: Database,
    sim_options: Settings,
    sim: Running,
    truths: dict[str, dict[str, Any]],
    fault: tuple[str, str],
) -> None:
    route, kind = fault
    account, made = of_one_creator(truths)
    codes = [code for code, truth in truths.items() if told(truth) and code not in made]
    await popular(sim_db, *codes, made[0])
    await sim_db.execute(
        "update fortnite.island set creator_account_id = %s where code = %s", (account, made[0])
    )
    await sim.fault(route, kind)
    quick = sim_options.model_copy(update={"http_timeout": 0.5, "http_retries": 1})
    numbers = await cycle(sim_db, quick, TS)
    found = await samples(sim_db)
    assert numbers.stored == len(found)
    said = {source: complete for source, (*_, complete) in (await listings(sim_db)).items()}
    assert said == {"entries": route != "entries", "creator_page": route != "creator"}
    assert found.keys() >= (set(made[1:]) if route == "entries" else set(codes))
