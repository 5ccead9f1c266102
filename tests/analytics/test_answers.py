"""What analysts are told, against the same counted from samples and metrics by hand."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import Any

import pytest

from etl.engine.database import Connection
from tests.analytics.conftest import DAY, HOUR, STEP, Landed

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAS = """
select
  i.island_id, i.code, i.creator_account_id as account, i.published_at,
  coalesce(
    (
      select array(select jsonb_array_elements_text(c.old -> 'tags'))
      from fortnite.island_change as c
      where c.island_id = i.island_id and 'tags' = any(c.fields)
      order by c.change_id
      limit 1
    ),
    i.tags
  ) as tags
from fortnite.island as i
"""


@dataclass(frozen=True)
class Truth:
    """Every sample, and what islands were before anything changed on them: all changes were seen after the last."""

    samples: dict[tuple[datetime, int], int]
    islands: dict[int, dict[str, Any]]

    def during(self, start: datetime, end: datetime) -> dict[tuple[datetime, int], int]:
        return {key: ccu for key, ccu in self.samples.items() if start <= key[0] < end}

    def of(self, island: int, start: datetime, end: datetime) -> list[int]:
        return [
            ccu for (ts, key), ccu in self.samples.items() if key == island and start <= ts < end
        ]


@pytest.fixture
async def truth(landed: Landed) -> Truth:
    rows = await landed.db.fetch("select ts, island_id, ccu from fortnite.ccu")
    return Truth(
        {(row["ts"], row["island_id"]): row["ccu"] for row in rows},
        {row["island_id"]: row for row in await landed.db.fetch(WAS)},
    )


async def ask(analyst: Connection, query: str, *values: object) -> list[dict[str, Any]]:
    return await (await analyst.execute(query.encode(), values)).fetchall()


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6)


async def test_totals_of_days_and_their_gaps(
    landed: Landed, analyst: Connection, truth: Truth
) -> None:
    totals: dict[datetime, int] = defaultdict(int)
    for (ts, _), ccu in truth.samples.items():
        totals[ts] += ccu
    found = await ask(analyst, "select * from analytics.total_ccu_day order by day")
    assert len(found) == 10
    for row in found:
        of_day = [ccu for ts, ccu in totals.items() if ts.date() == row["day"]]
        assert row["avg_ccu"] == near(fmean(of_day))
        assert row["peak_ccu"] == max(of_day)
        assert row["minutes_played"] == 10 * sum(of_day)
        assert row["observed"] == len(of_day)
        assert row["partial"] == (row["day"] == landed.today.date())
    assert [row["expected"] for row in found] == [144] * 9 + [1]

    steps = await ask(analyst, "select * from analytics.total_ccu_ten_minutes order by ts")
    assert [row["ts"] for row in steps] == [min(totals) + n * STEP for n in range(len(steps))]
    assert {row["ts"]: row["ccu"] for row in steps if row["ccu"] is not None} == totals
    cycles = sorted(totals)
    gaps = [(a + STEP, b) for a, b in pairwise(cycles) if b - a > STEP]
    told = await ask(analyst, "select since, until, cycles from analytics.ccu_gap order by since")
    assert [(row["since"], row["until"]) for row in told] == gaps
    assert sum(row["cycles"] for row in told) == [row["ccu"] for row in steps].count(None)
    quality = await ask(analyst, "select * from analytics.ccu_quality_day order by day")
    assert [row["cycles"] for row in quality] == [row["observed"] for row in found]
    assert sum(row["samples"] for row in quality) == len(truth.samples)


async def test_shares_of_tags_count_them_as_they_were(
    landed: Landed, analyst: Connection, truth: Truth
) -> None:
    now = {
        row["code"]: row["tags"]
        for row in await landed.db.fetch("select code, tags from fortnite.island")
    }
    assert any(island["tags"] != now[island["code"]] for island in truth.islands.values())
    start = landed.today - 2 * DAY
    played: dict[tuple[datetime, str], int] = defaultdict(int)
    whole: dict[datetime, int] = defaultdict(int)
    for (ts, island), ccu in truth.during(start, landed.today).items():
        day = ts.replace(hour=0, minute=0)
        whole[day] += 10 * ccu
        for tag in set(truth.islands[island]["tags"]) or {""}:
            played[day, tag] += 10 * ccu
    found = await ask(analyst, "select * from analytics.share_by_tag(%s, %s)", start, landed.today)
    assert {(row["ts"], row["tag"]): row["minutes_played"] for row in found} == played
    for row in found:
        assert row["share"] == near(row["minutes_played"] / whole[row["ts"]])
        assert row["avg_ccu"] == near(row["minutes_played"] / 10 / row["observed"])
        assert not row["partial"]
    assert {(row["ts"], row["observed"]) for row in found} == {(start, 24), (start + DAY, 24 + 20)}
    cut = await ask(
        analyst, "select partial from analytics.share_by_tag(%s, %s)", start + HOUR, start + DAY
    )
    assert {row["partial"] for row in cut} == {True}


async def test_shares_of_epic_and_of_creators(
    landed: Landed, analyst: Connection, truth: Truth
) -> None:
    day = landed.today - DAY
    played: dict[str, int] = defaultdict(int)
    for (_, island), ccu in truth.during(day, landed.today).items():
        played[truth.islands[island]["account"]] += 10 * ccu
    found = await ask(
        analyst, "select * from analytics.share_by_creator(%s, %s, 1000)", day.date(), day.date()
    )
    assert {row["account_id"]: row["minutes_played"] for row in found if row["minutes_played"]} == {
        account: minutes for account, minutes in played.items() if minutes
    }
    assert sum(row["share"] for row in found) == near(1)
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    (epic,) = await ask(analyst, "select * from analytics.share_of_epic(%s, %s)", day, landed.today)
    assert (epic["epic_minutes"], epic["creator_minutes"]) == (0, sum(played.values()))


@pytest.mark.parametrize("limit", [1, 3, 15, 2**31 - 1, None])
@pytest.mark.parametrize("measure", ["average", "minutes"])
async def test_ranking_over_any_span(
    landed: Landed, analyst: Connection, truth: Truth, measure: str, limit: int | None
) -> None:
    start, end = landed.today - 7 * DAY, landed.today
    wanted = []
    for island, what in truth.islands.items():
        counts = truth.of(island, start, end)
        first = min((ts for ts, key in truth.samples if key == island), default=end)
        steps = (end - max(first, start)) // STEP
        if sum(counts) and (measure == "minutes" or len(counts) / steps >= 0.1):
            value = fmean(counts) if measure == "average" else 10 * sum(counts)
            wanted.append((value, -island, what["code"], len(counts), steps))
    wanted.sort(reverse=True)
    found = await ask(
        analyst,
        "select * from analytics.ranking_over(%s, 7, %s, %s)",
        (end - DAY).date(),
        measure,
        limit,
    )
    assert [(row["code"], row["observed"], row["expected"]) for row in found] == [
        each[2:] for each in wanted[:limit]
    ]
    name = "avg_ccu" if measure == "average" else "minutes_played"
    assert [row[name] for row in found] == [near(each[0]) for each in wanted[:limit]]


async def test_patterns_of_the_week(landed: Landed, analyst: Connection, truth: Truth) -> None:
    start, end = landed.today - 8 * DAY, landed.today
    cycles: dict[tuple[int, int], dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for (ts, _), ccu in truth.during(start, end).items():
        cycles[ts.isoweekday(), ts.hour][ts] += ccu
    found = await ask(
        analyst, "select * from analytics.week_pattern('total', '', %s, %s)", start, end
    )
    assert len(found) == 168
    for row in found:
        there = cycles.get((row["weekday"], row["hour"]), {})
        assert row["avg_ccu"] == (near(fmean(there.values())) if there else None)
        assert row["observed"] == len(there)
    assert {row["expected"] for row in found} == {6, 12}
    # The hour that holds the first instant counts whole.
    query = "select * from analytics.week_pattern('total', '', %s, %s)"
    assert await ask(analyst, query, start + 3 * STEP, end) == found

    island = max(truth.islands, key=lambda one: sum(truth.of(one, start, end)))
    code = truth.islands[island]["code"]
    told = await ask(
        analyst, "select * from analytics.island_week_pattern(%s, %s, %s)", code, start, end
    )
    assert sum(row["observed"] for row in told) == len(truth.of(island, start, end))
    assert max(row["peak_ccu"] or 0 for row in told) == max(truth.of(island, start, end))


async def test_what_became_of_a_week_of_releases(
    landed: Landed, analyst: Connection, truth: Truth
) -> None:
    week = (landed.today - 9 * DAY).date()
    monday = week - timedelta(days=week.weekday())
    found = {
        row["age_days"]: row
        for row in await ask(analyst, "select * from analytics.release_cohort(%s)", week)
    }
    born = [
        (island, what["published_at"].replace(hour=0, minute=0, second=0, microsecond=0))
        for island, what in truth.islands.items()
        if what["published_at"] and monday <= what["published_at"].date() < monday + 7 * DAY
    ]
    assert born
    for age in (1, 7, 30):
        days = [(island, day + age * DAY) for island, day in born]
        ccu = [
            fmean(c) for i, day in days if day < landed.today and (c := truth.of(i, day, day + DAY))
        ]
        assert found[age]["islands"] == len(born)
        assert found[age]["days_over"] == len([day for _, day in days if day < landed.today])
        assert found[age]["observed"] == len(ccu)
        assert found[age]["avg_ccu"] == (near(fmean(ccu)) if ccu else None)
        assert found[age]["median_ccu"] == (near(median(ccu)) if ccu else None)


async def test_the_effect_of_a_placement(landed: Landed, analyst: Connection, truth: Truth) -> None:
    start = landed.today - 2 * DAY
    ids = {what["code"]: island for island, what in truth.islands.items()}
    newest = max(ts for ts, _ in truth.samples)
    compared = 0
    for panel in await landed.db.fetch("select surface, region, panel from fortnite.panel"):
        stays = await landed.db.fetch(
            "select s.code, s.entered_at, max(s.until) as until, bool_or(s.until is null) as open"
            " from analytics.placement_span as s where s.panel = %s and s.kind = 'island' group by 1, 2",
            [panel["panel"]],
        )
        found = await ask(
            analyst,
            "select * from analytics.placement_effect(%s, %s, %s, %s, %s)",
            *panel.values(),
            start,
            landed.today,
        )
        assert {(row["code"], row["entered_at"]) for row in found} >= {
            (stay["code"], stay["entered_at"]) for stay in stays if stay["code"] in ids
        }
        ends = {
            (stay["code"], stay["entered_at"]): None if stay["open"] else stay["until"]
            for stay in stays
        }
        for row in found:
            left = ends[row["code"], row["entered_at"]]
            assert row["left_at"] == left
            spans = {
                "before": (row["entered_at"] - HOUR, row["entered_at"]),
                "during": (row["entered_at"], left or newest + STEP),
                "after": (left, left + HOUR) if left else (newest + STEP, newest + STEP),
            }
            for name, (since, until) in spans.items():
                counts = truth.of(ids[row["code"]], since, until)
                assert row[f"observed_{name}"] == len(counts)
                assert row[f"ccu_{name}"] == (near(fmean(counts)) if counts else None)
                compared += bool(counts and left)
    assert compared


async def test_retention_by_tag(landed: Landed, analyst: Connection, truth: Truth) -> None:
    start, end = (landed.today - 5 * DAY).date(), (landed.today - 2 * DAY).date()
    rows = await landed.db.fetch(
        "select * from fortnite.island_metric where not partial and ts >= %s and ts < %s",
        [landed.today - 5 * DAY, landed.today - DAY],
    )
    found = await ask(analyst, "select * from analytics.retention_by_tag(%s, %s, 1)", start, end)
    assert found
    for row in found:
        for name in ("retention_d1", "retention_d7"):
            told = [
                (each["unique_players"], each[name])
                for each in rows
                if each[name] is not None
                and row["tag"] in (truth.islands[each["island_id"]]["tags"] or [""])
            ]
            assert row[f"island_days_{name[-2:]}"] == len(told)
            assert row[name] == (near(weighted(told)) if told else None)


def weighted(told: Iterable[tuple[int, float]]) -> float:
    pairs = list(told)
    return sum(weight * value for weight, value in pairs) / sum(weight for weight, _ in pairs)


async def test_an_island_and_a_creator_over_time_show_their_gaps(
    landed: Landed, analyst: Connection, truth: Truth
) -> None:
    start, end = landed.today - 3 * DAY, landed.today - DAY
    island = max(truth.islands, key=lambda one: sum(truth.of(one, start, end)))
    what = truth.islands[island]
    steps = [start + n * STEP for n in range(288)]
    found = await ask(
        analyst, "select * from analytics.island_ccu(%s, %s, %s)", what["code"], start, end
    )
    assert [(row["ts"], row["ccu"]) for row in found] == [
        (ts, truth.samples.get((ts, island))) for ts in steps
    ]
    told = await ask(
        analyst, "select * from analytics.creator_ccu(%s, %s, %s)", what["account"], start, end
    )
    own = [one for one, other in truth.islands.items() if other["account"] == what["account"]]
    for row, ts in zip(told, steps, strict=True):
        there = [truth.samples[ts, one] for one in own if (ts, one) in truth.samples]
        assert (row["ts"], row["ccu"], row["islands"]) == (
            ts,
            sum(there) if there else None,
            len(there),
        )


async def test_what_is_stored_is_what_is_told(
    landed: Landed, analyst: Connection, truth: Truth
) -> None:
    """The levels of one thing agree: ten minutes, hours and days, of islands, creators, tags and in all."""
    day: date = (landed.today - DAY).date()
    minutes = {
        "all": sum(truth.during(landed.today - DAY, landed.today).values()) * 10,
        "top": max(sum(truth.of(one, landed.today - DAY, landed.today)) for one in truth.islands)
        * 10,
    }
    for view in ("total_ccu_day", "island_ccu_day", "creator_ccu_day"):
        (row,) = await ask(
            analyst, f"select sum(minutes_played) as n from analytics.{view} where day = %s", day
        )
        assert row["n"] == minutes["all"], view
    for view in ("total_ccu_hour", "island_ccu_hour", "creator_ccu_hour"):
        (row,) = await ask(
            analyst,
            f"select sum(minutes_played) as n from analytics.{view} where ts >= %s and ts < %s",
            landed.today - DAY,
            landed.today,
        )
        assert row["n"] == minutes["all"], view
    for view in ("island_ccu_ten_minutes", "creator_ccu_ten_minutes", "total_ccu_ten_minutes"):
        (row,) = await ask(
            analyst,
            f"select sum(ccu) * 10 as n from analytics.{view} where ts >= %s and ts < %s",
            landed.today - DAY,
            landed.today,
        )
        assert row["n"] == minutes["all"], view
    tags = [
        await ask(
            analyst,
            f"select tag, sum({what}) as n from analytics.tag_ccu_{level} group by tag order by tag",
        )
        for level, what in (
            ("day", "minutes_played"),
            ("hour", "minutes_played"),
            ("ten_minutes", "ccu * 10"),
        )
    ]
    assert tags[0] == tags[1] == tags[2]
    (top,) = await ask(
        analyst, "select minutes_played from analytics.ranking_over(%s, 1, 'minutes', 1)", day
    )
    assert top["minutes_played"] == minutes["top"]


async def test_freshness_says_what_is_late(
    landed: Landed, analyst: Connection, truth: Truth
) -> None:
    rows = {
        row["source"]: row for row in await ask(analyst, "select * from analytics.source_freshness")
    }
    assert rows["fortnite.ccu"]["latest_at"] == max(ts for ts, _ in truth.samples)
    assert rows["fortnite.ccu_daily"]["latest_at"] == landed.today
    # no job ever ran: what only their history tells is late
    assert rows["fortnite.island"]["latest_at"] is None
    assert rows["fortnite.island"]["late"]
