"""What a read of metrics leaves behind: rows revised in place, nulls, days lost, and the next turn."""

from datetime import date, timedelta
from typing import Any

import pytest
from psycopg.errors import CheckViolation

from etl.engine import crawl
from etl.engine.database import Database
from etl.engine.items import Found
from etl.engine.resource import land
from etl.fortnite.metrics import METRICS
from etl.fortnite.resources import CATALOGUE
from etl.settings import Settings
from tests import marks
from tests.fortnite.metric_rows import (
    COLUMNS,
    at,
    bucket,
    days,
    listed,
    lost,
    read,
    rows,
    state,
    take,
    taken_by,
)

WHOLE: dict[str, Any] = {
    "peak_ccu": 16,
    "unique_players": 88,
    "plays": 116,
    "minutes_played": 2**33,
    "average_minutes_per_player": 38.22,
    "favorites": 0,
    "recommendations": 1,
    "retention_d1": 0.15,
    "retention_d7": 0,
}


async def test_a_bucket_read_again_is_revised_in_place_until_it_is_closed(db: Database) -> None:
    await listed(db, "a")
    today = bucket("2026-11-01", **WHOLE | {"peak_ccu": 9})
    assert (await take(db, read("a", "2026-11-01 18:00", today)))["inserted"] == 1
    (row,) = await rows(db, "a")
    assert {name: row[name] for name in COLUMNS} == WHOLE | {"peak_ccu": 9}
    assert (row["partial"], row["read_at"]) == (True, at("2026-11-01 18:00"))

    whole = bucket("2026-11-01", **WHOLE)
    done = await take(db, read("a", "2026-11-02 00:29", whole))  # the lag: not closed yet
    assert (done["inserted"], done["revised"]) == (0, 1)
    assert [r["partial"] for r in await rows(db, "a")] == [True]
    done = await take(db, read("a", "2026-11-02 00:31", whole))  # the same, and now it is closed
    assert done["revised"] == 1
    (row,) = await rows(db, "a")
    assert (row["partial"], row["read_at"]) == (False, at("2026-11-02 00:31"))
    assert {name: row[name] for name in COLUMNS} == WHOLE


async def test_a_read_that_changes_nothing_writes_nothing(db: Database) -> None:
    await listed(db, "a")
    said = days("2026-10-26", 5, None, 7, 8, None, 3, 2)
    await take(db, read("a", "2026-11-01 09:00", *said))

    async def written() -> list[Any]:
        return await db.fetch(
            "select ctid, xmin::text from fortnite.island_metric union all "
            "select ctid, xmin::text from fortnite.island_metric_state union all "
            "select ctid, xmin::text from search.dirty order by 1, 2"
        )

    before = await written()
    done = await take(db, read("a", "2026-11-01 12:00", *said))
    assert (done["taken"], done["inserted"], done["revised"]) == (1, 0, 0)
    assert await written() == before
    assert len(await rows(db, "a")) == 5  # a day that is withheld altogether has no row
    assert (await state(db, "a"))["read_through"] == date(2026, 10, 31)


NULLS = {
    "partial": ("2026-11-01 20:00", bucket("2026-11-01", plays=7), (4, 7, True)),
    "closed, another value": ("2026-11-02 04:00", bucket("2026-11-01", plays=7), (None, 7, False)),
    "closed, no value at all": ("2026-11-02 04:00", bucket("2026-11-01"), (4, 5, True)),
    "closed, never told": (
        "2026-11-02 04:00",
        bucket("2026-11-01", whole=False, plays=7),
        (4, 7, True),
    ),
}


@pytest.mark.parametrize("case", NULLS)
async def test_a_null_wipes_a_value_only_in_a_closed_bucket_that_has_another(
    db: Database, case: str
) -> None:
    await listed(db, "a")
    await take(db, read("a", "2026-11-01 18:00", bucket("2026-11-01", peak_ccu=4, plays=5)))
    read_at, later, wanted = NULLS[case]
    await take(db, read("a", read_at, later))
    (row,) = await rows(db, "a")
    assert (row["peak_ccu"], row["plays"], row["partial"]) == wanted


async def test_a_value_that_comes_late_fills_a_closed_bucket(db: Database) -> None:
    await listed(db, "a")
    await take(db, read("a", "2026-11-02 04:00", bucket("2026-11-01", peak_ccu=4)))
    late = bucket("2026-11-01", peak_ccu=4, retention_d1=0.25)
    assert (await take(db, read("a", "2026-11-03 04:00", late)))["revised"] == 1
    (row,) = await rows(db, "a")
    assert (row["retention_d1"], row["retention_d7"], row["partial"]) == (0.25, None, False)
    # what an earlier read brings afterwards is older
    await take(db, read("a", "2026-11-02 20:00", bucket("2026-11-01", peak_ccu=1)))
    assert (await rows(db, "a"))[0]["peak_ccu"] == 4


async def test_days_missed_for_too_long_are_listed_and_those_still_kept_are_not(
    db: Database,
) -> None:
    await listed(db, "a", on="2026-10-20")
    await take(db, read("a", "2026-10-22 09:00", *days("2026-10-20", 5, 6, 7)))
    assert (await state(db, "a"))["read_through"] == date(2026, 10, 21)
    # away for twelve days: of 22 to 25 nothing is to be had any more, 22 was seen while it ran
    done = await take(db, read("a", "2026-11-02 09:00", *days("2026-10-26", 1, 1, 1, 1, 1, 1, 1)))
    assert done["lost"] == 4
    row = await state(db, "a")
    assert row["read_through"] == date(2026, 11, 1)
    missed = [("a", day) for day in ("10-22", "10-23", "10-24", "10-25")]
    assert await lost(db) == missed
    assert [r["partial"] for r in await rows(db, "a")] == [False, False, True, *[False] * 7]
    (first, *_) = await db.fetch(
        "select lost_at, has_partial from analytics.island_metric_gap where code = 'a' order by day"
    )
    assert first == {"lost_at": at("2026-10-29 00:00"), "has_partial": True}
    # found twice, listed once
    await db.execute("update fortnite.island_metric_state set read_through = '2026-10-21'")
    await take(db, read("a", "2026-11-02 10:00", *days("2026-10-26", 1, 1, 1, 1, 1, 1, 1)))
    assert await lost(db) == missed


async def test_what_is_lost_shows_before_anybody_reads_again(db: Database) -> None:
    await listed(db, "a", "gone")
    await db.execute(
        "update fortnite.island_metric_state set read_through = (now() at time zone 'UTC')::date - 12"
    )
    await db.execute("update engine.crawl set state = 'gone' where key = 'gone'")
    found = await db.fetch(
        "select g.code, (now() at time zone 'UTC')::date - g.day as ago, g.lost_at <= now() as since "
        "from analytics.island_metric_gap as g order by g.day"
    )
    assert [(row["code"], row["ago"], row["since"]) for row in found] == [
        ("a", ago, True) for ago in (11, 10, 9, 8, 7)
    ]


async def test_a_day_that_is_kept_but_was_not_given_is_waited_for(db: Database) -> None:
    await listed(db, "a", on="2026-10-28")
    await take(db, read("a", "2026-11-02 09:00", *days("2026-10-31", 4, 4, 4)))
    assert (await state(db, "a"))["read_through"] == date(2026, 10, 27)
    assert await lost(db) == []
    await take(db, read("a", "2026-11-02 10:00", *days("2026-10-28", 4, 4, 4, 4, 4, 4)))
    assert (await state(db, "a"))["read_through"] == date(2026, 11, 1)


async def test_an_island_upstream_does_not_know_loses_nothing_and_is_looked_for(
    db: Database,
) -> None:
    await listed(db, "a", on="2026-10-20")
    await take(db, read("a", "2026-10-22 09:00", *days("2026-10-20", 60, 60, 60)))
    await take(db, read("a", "2026-11-02 09:00", gone=True))
    row = await state(db, "a")
    assert (row["state"], row["class"], row["read_through"]) == ("gone", 3, date(2026, 11, 1))
    assert timedelta(0) < row["due_at"] - at("2026-11-02 09:00") <= timedelta(hours=72)
    assert await lost(db) == []
    assert len(await rows(db, "a")) == 3
    await take(db, read("a", "2026-11-04 09:00", *days("2026-10-29", *[None] * 6, 70)))
    row = await state(db, "a")
    assert (row["state"], row["class"]) == ("active", 1)


async def test_an_island_the_data_api_has_no_more_leaves_the_search_until_it_is_back(
    db: Database,
) -> None:
    async def shown() -> list[str]:
        rows = await db.fetch("select id from search.island_document order by id")
        return [row["id"] for row in rows]

    async def marked() -> set[str]:
        return {row["id"] for row in await db.fetch(marks.TAKE)}

    await listed(db, "a", "detailed", "listed", on="2026-10-20")
    await db.execute("update fortnite.island set detailed_at = now() where code = 'detailed'")
    item = Found("listed", b'{"code": "listed"}')
    await land(db, CATALOGUE, [item], at("2026-11-02 08:45"))
    await take(db, read("a", "2026-11-02 06:00", *days("2026-11-01", 60)))
    await marked()
    codes = ("a", "detailed", "listed")
    await take(db, *(read(code, "2026-11-02 09:00", gone=True) for code in codes))
    # of one with details the Links service tells; a listed one is public, whatever its metrics
    assert await shown() == ["detailed", "listed"]
    assert "a" in await marked()
    await take(db, read("a", "2026-11-02 10:00", gone=True))
    assert await marked() == set()
    await take(db, read("a", "2026-11-05 09:00", *days("2026-11-01", None, None)))
    assert await shown() == ["a", "detailed", "listed"]
    assert await marked() == {"a"}


CLASSES = {
    "popular yesterday": (days("2026-10-31", 50, 2), "2026-10-01", 1),
    "popular today": (days("2026-10-31", None, 50), "2026-10-01", 1),
    "popular a week ago": (days("2026-10-26", 500, *[None] * 5), "2026-10-01", 2),
    "played": (days("2026-10-31", 2, None), "2026-10-01", 2),
    "quiet": (days("2026-10-31", None, None), "2026-10-29", 3),
    "new and quiet": (days("2026-10-31", None, None), "2026-10-30", 2),
    "of the first listing": (days("2026-10-31", None, None), "2026-10-31", 3),
}


@pytest.mark.parametrize("case", CLASSES)
async def test_the_pace_follows_the_players(db: Database, case: str) -> None:
    said, on, wanted = CLASSES[case]
    codes = [f"{n:03}" for n in range(60)]
    await listed(
        db, *codes, on=on, others="2026-10-30" if case == "of the first listing" else "2026-09-01"
    )
    now = at("2026-11-01 09:00")
    await take(db, *(read(code, "2026-11-01 09:00", *said) for code in codes))
    found = [await state(db, code) for code in codes]
    assert {row["class"] for row in found} == {wanted}
    hours = [0, 6, 24, 72][wanted]
    dues = sorted(row["due_at"] for row in found)
    assert now < dues[0]
    assert dues[-1] <= now + timedelta(hours=hours)
    # spread, so that they are not all due at once; a daily turn comes soon after the day has closed
    assert dues[-1] - dues[0] > timedelta(hours={1: 5, 2: 7, 3: 60}[wanted])
    if wanted == 2:
        assert dues[0] >= at("2026-11-02 00:30")
        assert dues[-1] < at("2026-11-02 08:30")


async def test_what_fails_comes_later_each_time_and_is_never_given_up(db: Database) -> None:
    await listed(db, "a")
    minutes = []
    for _ in range(10):
        await take(db, read("a", "2026-11-01 09:00", trouble="it came empty"))
        row = await state(db, "a")
        assert (row["state"], row["last_error"], row["class"]) == ("active", "it came empty", 0)
        assert row["attempts"] <= 4
        minutes.append((row["due_at"] - at("2026-11-01 09:00")) / timedelta(minutes=1))
    assert minutes == [5, 20, 80, 320, *[320] * 6]
    assert row["last_fetched_at"] is None
    await take(db, read("a", "2026-11-01 10:00", *days("2026-10-31", 1, 1)))
    row = await state(db, "a")
    assert (row["attempts"], row["last_error"]) == (0, None)


async def test_buckets_of_an_answer_that_is_bad_elsewhere_are_kept(db: Database) -> None:
    await listed(db, "a")
    good = bucket("2026-10-31", whole=False, plays=3)
    done = await take(db, read("a", "2026-11-01 09:00", good, trouble="peakCCU: no count"))
    assert done["inserted"] == 1
    row = await state(db, "a")
    assert (row["read_through"], row["last_error"]) == (date(2026, 10, 31), "peakCCU: no count")
    assert (await rows(db, "a"))[0]["partial"]


async def test_a_worker_that_comes_back_late_changes_nothing(
    db: Database, settings: Settings
) -> None:
    await listed(db, "a")
    first = await crawl.claim(db, METRICS, 10, settings)
    assert first is not None
    await crawl.abandon(db, METRICS, first)
    second = await crawl.claim(db, METRICS, 10, settings)
    assert second is not None
    old = read("a", "2026-11-01 08:00", *days("2026-10-31", 1, 1))
    new = read("a", "2026-11-01 09:00", *days("2026-10-31", 2, 2))
    assert (await taken_by(db, first.token, old))["taken"] == 0
    assert (await taken_by(db, second.token, new))["taken"] == 1
    assert (await taken_by(db, second.token, new))["taken"] == 0
    assert [row["peak_ccu"] for row in await rows(db, "a")] == [2, 2]


async def test_documents_of_islands_we_do_not_sample_are_marked_when_their_peak_is_another(
    db: Database,
) -> None:
    await listed(db, "a", "b", "c")
    await db.execute(
        "insert into fortnite.island_now (island_id, ts, recorded_at, since, ccu, marked_ccu, record_ccu) "
        "select island_id, now(), now(), now(), 1, 1, 1 from fortnite.island where code = 'b'"
    )
    await db.execute("delete from search.dirty")

    async def marked(*peaks: int | None) -> set[str]:
        reads = [read(code, "2026-11-01 09:00", *days("2026-10-31", *peaks)) for code in "abc"]
        await take(db, *reads)
        found = await db.fetch(marks.TAKE)
        return {row["id"] for row in found}

    assert await marked(5, 2) == {"a", "c"}
    assert await marked(5, 9) == set()  # today is not over
    row = await state(db, "a")
    assert (row["peak_on"], row["peak_ccu"]) == (date(2026, 10, 31), 5)
    assert await marked(None, 9) == {"a", "c"}


async def test_only_listed_islands_are_watched_and_each_once(db: Database) -> None:
    await listed(db, "a", "b")
    await db.execute("select fortnite.meet_islands('{hidden}', 'creator_page', now())")
    met = [(await db.fetch_one("select fortnite.meet_metrics(2) as n"))["n"] for _ in range(3)]
    assert met == [0, 0, 0]
    await db.execute("update fortnite.island set listed_at = now() where code = 'hidden'")
    met = [(await db.fetch_one("select fortnite.meet_metrics(2) as n"))["n"] for _ in range(3)]
    assert sorted(met) == [0, 0, 1]
    row = await state(db, "hidden")
    assert (row["class"], row["read_through"]) == (0, row["watched_from"] - timedelta(days=1))


async def test_a_bucket_starts_where_its_width_says(db: Database) -> None:
    await listed(db, "a")
    with pytest.raises(CheckViolation):
        await take(db, read("a", "2026-11-01 18:00", bucket("2026-11-01 01:00", plays=1)))


async def test_old_hours_and_ten_minutes_go_and_days_stay(db: Database) -> None:
    await listed(db, "a")
    buckets = [bucket("2020-01-01", minutes, plays=1) for minutes in (10, 60, 1440)]
    await take(db, read("a", "2020-01-01 18:00", *buckets))
    prune = "select fortnite.prune_metrics(interval '90 days', 1) as n"
    assert [(await db.fetch_one(prune))["n"] for _ in range(3)] == [1, 1, 0]
    assert [len(await rows(db, "a", minutes)) for minutes in (10, 60, 1440)] == [0, 0, 1]
