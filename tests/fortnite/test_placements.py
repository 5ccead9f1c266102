"""Placements, spans, events and what is asked of them, against a model in Python."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import pytest
from psycopg.rows import DictRow

from etl.engine.database import Database
from etl.fortnite.discovery import APPLY, MISS, arguments
from etl.fortnite.panels import Panel, Read
from etl.fortnite.placements import compute_days
from tests.fortnite.placing import CODES, REGIONS, START, STEP, Model, Stage, day_of, steps_of

History = Sequence[tuple[Read, datetime]]
Rows = list[tuple[Any, ...]]

NOW = "select region, panel, code, position, since, entered_at from analytics.placement"
EVENTS = (
    "select region, at, panel, event, code, position, previous_position "
    "from analytics.placement_event"
)
SPANS = (
    "select region, panel, code, position, since, until, entered_at from analytics.placement_span"
)
PANEL_EVENTS = "select region, at, panel, event, name, previous_name from analytics.panel_event"
PANEL_SPANS = (
    "select p.region, p.panel, s.position, s.name, s.since, s.until "
    "from fortnite.panel_span as s join fortnite.panel as p using (panel_id)"
)


async def apply(db: Database, read: Read, at: datetime) -> DictRow:
    return await db.fetch_one(APPLY, arguments(read, at))


def ordered(rows: Iterable[tuple[Any, ...]]) -> Rows:
    return sorted(rows, key=repr)


async def rows(db: Database, query: LiteralString, *params: object) -> Rows:
    return ordered(tuple(row.values()) for row in await db.fetch(query, params))


def history(seed: int) -> list[tuple[Read, datetime]]:
    """Reads over days, some lost, some late, some sent twice."""
    chance = random.Random(seed)
    stages = {region: Stage(chance) for region in REGIONS}
    reads: list[tuple[Read, datetime]] = []
    at = START
    for _ in range(50):
        at += STEP * chance.choice((1, 1, 1, 2, 6, 18))
        for region, stage in stages.items():
            stage.turn()
            if chance.random() < 0.8:
                reads.append((stage.read(region), at))
            if reads and chance.random() < 0.2:
                reads.append(reads[-1])
            if chance.random() < 0.1:
                reads.append((stage.read(region), at - STEP * chance.randint(1, 9)))
    return reads


def modelled(reads: History) -> dict[str, Model]:
    models = {region: Model() for region in REGIONS}
    for read, at in reads:
        models[read.region].take(read, at)
    return models


def placed(models: dict[str, Model]) -> Rows:
    return ordered(
        (region, panel, code, *place)
        for region, model in models.items()
        for panel, known in model.panels.items()
        for code, place in known.placed.items()
    )


async def check(db: Database, models: dict[str, Model]) -> None:
    """Everything stored is what the model has."""
    assert await rows(db, NOW) == placed(models)
    assert await rows(db, EVENTS) == ordered((r, *e) for r, m in models.items() for e in m.events)
    spans = [(r, *s) for r, m in models.items() for s in m.all_spans()]
    assert await rows(db, SPANS) == ordered(spans)
    panel_events = [(r, *e) for r, m in models.items() for e in m.panel_events]
    assert await rows(db, PANEL_EVENTS) == ordered(panel_events)
    panel_spans = [(r, *s) for r, m in models.items() for s in m.panel_spans]
    panel_spans += [
        (r, panel, known.span[1], known.span[2], known.span[0], None)
        for r, model in models.items()
        for panel, known in model.panels.items()
        if known.span is not None
    ]
    assert await rows(db, PANEL_SPANS) == ordered(panel_spans)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_sequence_of_reads_leaves_what_the_model_has(db: Database, seed: int) -> None:
    reads = history(seed)
    models = {region: Model() for region in REGIONS}
    for read, at in reads:
        model = models[read.region]
        before, fresh = len(model.events), model.taken_at is None or at > model.taken_at
        model.take(read, at)
        done = await apply(db, read, at)
        assert done["applied"] == fresh
        new = [event[2] for event in model.events[before:]]
        if fresh:
            counted = [done["added"], done["removed"], done["moved"]]
            assert counted == [new.count("ADDED"), new.count("REMOVED"), new.count("MOVED")]
        assert await rows(db, NOW) == placed(models)
    await check(db, models)
    met = {code for m in models.values() for _, _, event, code, *_ in m.events if event == "ADDED"}
    assert {event for m in models.values() for _, _, event, *_ in m.panel_events} == {
        *("ADDED", "RENAMED", "DROPPED")
    }
    assert await rows(db, "select code from fortnite.island where source = 'discovery'") == ordered(
        (code,) for code in met if code[0].isdigit()
    )
    await check_answers(db, models, reads, random.Random(seed))
    await check_days(db, models, reads)


async def check_answers(
    db: Database, models: dict[str, Model], reads: History, chance: random.Random
) -> None:
    """What the functions of analytics say is what stepping through the spans says."""
    last = max(at for _, at in reads)
    for region, model in models.items():
        for _ in range(8):
            at = START + (last - START) * chance.random()
            shown = await rows(
                db,
                "select panel, code, place, panel_name, panel_place "
                "from analytics.surface_at('S', %s, %s) where code is not null",
                *(region, at),
            )
            names = {
                panel: (name, position)
                for panel, position, name, since, until in [
                    *model.panel_spans,
                    *(
                        (p, k.span[1], k.span[2], k.span[0], None)
                        for p, k in model.panels.items()
                        if k.span is not None
                    ),
                ]
                if since <= at and (until is None or at < until)
            }
            assert shown == ordered(
                (panel, code, position, *names[panel])
                for panel, code, position, since, until, _ in model.all_spans()
                if since <= at and (until is None or at < until)
            )
        day = last.date()
        traffic = await db.fetch(
            "select * from analytics.panel_traffic('S', %s, 'P0', %s)", (region, day)
        )
        assert ordered((row["at"], row["event"], row["code"]) for row in traffic) == ordered(
            (at, "entered" if event == "ADDED" else "left", code)
            for at, panel, event, code, *_ in model.events
            if panel == "P0" and event != "MOVED" and at.date() == day
        )
    await check_minutes(db, models, last)


async def check_minutes(db: Database, models: dict[str, Model], last: datetime) -> None:
    until = last + STEP
    since = until - timedelta(hours=24)
    for code in CODES[:6]:
        told = await db.fetch(
            "select region, panel, place, sum(minutes)::int as minutes "
            "from analytics.island_placements(%s, %s, %s) group by 1, 2, 3",
            (code, since, until),
        )
        counted: dict[tuple[str, str, int], int] = {}
        instants = set()
        for region, model in models.items():
            for at, panel, stood, position, _ in steps_of(model, since, until):
                known = model.panels[panel]
                # what still stands counts as long as its panel was read
                beyond = code in known.placed and at > model.reads[panel][-1]
                begun = known.placed[code][1] if code in known.placed else last
                if stood == code and not (beyond and at >= begun):
                    key = (region, panel, position)
                    counted[key] = counted.get(key, 0) + 10
                    instants.add(at)
        assert {(r["region"], r["panel"], r["place"]): r["minutes"] for r in told} == counted
        for summary in await db.fetch(
            "select * from analytics.island_discovery where code = %s", (code,)
        ):
            assert summary["minutes_24h"] == 10 * len(instants)
            assert summary["as_of"] == until
            places = [
                (panel, region, known.placed[code][0])
                for region, model in models.items()
                for panel, known in model.panels.items()
                if code in known.placed
            ]
            assert summary["panels"] == len({panel for panel, _, _ in places})
            assert summary["regions"] == len({region for _, region, _ in places})
            assert summary["best_position"] == min((p for *_, p in places), default=None)
            entered = [at for m in models.values() for at, *e in m.events if e[2] == code]
            assert summary["first_seen_at"] == min(entered)


async def check_days(db: Database, models: dict[str, Model], reads: History) -> None:
    """Days computed late, together and twice are what each was."""
    first, last = START.date(), max(at for _, at in reads).date()
    await db.execute(
        "insert into engine.watermark (name, value) values "
        "('fortnite.placement_daily', jsonb_build_object('day', %s::date))",
        (first - timedelta(days=1),),
    )
    now = datetime.combine(last, datetime.min.time(), START.tzinfo) + timedelta(hours=1)
    done = await compute_days(db, now=now)
    assert done["days"] == (last - first).days >= 2
    for n in range(done["days"]):
        day = first + timedelta(days=n)
        assert await daily(db, day) == {
            (region, *key): value
            for region, model in models.items()
            for key, value in day_of(model, day).items()
        }
    assert done["changed"] == len(await rows(db, "select * from fortnite.placement_daily"))
    assert await compute_days(db, now=now) == {"days": 0, "changed": 0}
    again = await db.fetch_one("select fortnite.compute_placement_day(%s) as n", (first,))
    assert again["n"] == 0


async def daily(db: Database, day: date) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    found = await db.fetch("select * from analytics.placement_daily where day = %s", (day,))
    return {
        (row["region"], row["panel"], row["code"]): (
            row["appearances"],
            row["minutes"],
            row["best_position"],
            round(row["average_position"], 3),
            row["reads"],
        )
        for row in found
    }


async def test_a_day_is_corrected_where_its_reads_came_after_it_was_computed(db: Database) -> None:
    day = START.date()
    at = START.replace(hour=10, minute=0)
    await apply(db, shown("EU", "a", "b"), at)
    await db.execute("select fortnite.compute_placement_day(%s)", (day,))
    assert (await daily(db, day))["EU", "P", "a"] == (1, 14 * 60, 1, 1.0, 1)
    await apply(db, shown("EU", "b"), at + 6 * STEP)
    changed = await db.fetch_one("select fortnite.compute_placement_day(%s) as n", (day,))
    assert changed["n"] == 2
    assert await daily(db, day) == {
        ("EU", "P", "a"): (1, 60, 1, 1.0, 2),
        ("EU", "P", "b"): (1, 14 * 60, 1, round(1 + 60 / (14 * 60), 3), 2),
    }
    # of a day on which nobody looked nothing is known
    await db.execute("select fortnite.compute_placement_day(%s)", (day + timedelta(days=1),))
    assert await daily(db, day + timedelta(days=1)) == {}


async def test_workers_at_once_do_it_once(db: Database) -> None:
    reads = history(4)
    models = modelled(reads)

    async def work(chance: random.Random, surface: str) -> None:
        for read, at in reads:
            other = Read(surface, read.region, read.panels, read.whole)
            await apply(db, other, at)
            await asyncio.sleep(chance.random() / 500)

    # one pair shares a surface, the others have theirs and meet the same islands
    surfaces = ("S", "S", "T", "U")
    await asyncio.gather(*(work(random.Random(n), name) for n, name in enumerate(surfaces)))
    for surface in set(surfaces):
        found = await db.fetch(f"{NOW} where surface = %s", (surface,))
        assert ordered(tuple(row.values()) for row in found) == placed(models)
        events = await db.fetch(f"{EVENTS} where surface = %s", (surface,))
        assert ordered(tuple(row.values()) for row in events) == ordered(
            (r, *e) for r, m in models.items() for e in m.events
        )


async def test_a_surface_that_fails_is_told_and_keeps_what_it_had(db: Database) -> None:
    await apply(db, shown("EU", "a"), START)
    before = await rows(db, SPANS)
    await db.execute(MISS, ("S", "EU", START + STEP, "it answered 503"))
    await db.execute(MISS, ("S", "EU", START, "late and wrong"))
    assert await rows(db, SPANS) == before
    trouble = "select taken_at, tried_at, trouble from fortnite.surface"
    assert await rows(db, trouble) == [(START, START + STEP, "it answered 503")]
    await apply(db, shown("EU", "a"), START + STEP)
    assert await rows(db, trouble) == [(START + STEP, START + STEP, None)]


async def test_what_a_code_stands_for(db: Database) -> None:
    await apply(db, shown("EU", "1234-5678-9012", *CODES[-4:], "1234-5678-901"), START)
    kinds = {row["code"]: row["kind"] for row in await db.fetch("table analytics.placement")}
    assert kinds == {
        "1234-5678-9012": "island",
        "set_br_playlists": "set",
        "playlist_juno": "playlist",
        "campaign": "other",
        "reference_more": "reference",
        "1234-5678-901": "other",
    }
    crawled = await db.fetch("select key, class, due_at <= now() as due from engine.crawl")
    assert crawled == [{"key": "1234-5678-9012", "class": 0, "due": True}]


def shown(region: str, *codes: str) -> Read:
    """A read of one panel."""
    listed = {code: place for place, code in enumerate(codes, 1)}
    return Read("S", region, [Panel("P", 1, "Panel", "CuratedList", listed)])
