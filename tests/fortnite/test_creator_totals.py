"""What a creator's islands add up to, whose islands are, and who is asked for how often."""

from datetime import UTC, date, datetime, timedelta

from etl.engine import timeseries
from etl.engine.database import Database
from etl.engine.items import Found, Missing
from etl.engine.resource import land
from etl.fortnite import performance, totals
from etl.fortnite.ccu import cycle
from etl.fortnite.resources import ISLAND, PLAYER_PAGE
from etl.fortnite.store import store
from etl.settings import Settings
from tests.fortnite.bodies import details, link
from tests.fortnite.samples import TS, creator
from tests.fortnite.upstream import Fake, linked

NOW = "select n.* from fortnite.creator_now as n join fortnite.creator using (creator_id) where account_id = %s"
DAY = date(2026, 11, 20)


async def meet(db: Database) -> None:
    await db.execute("select fortnite.meet_creators()")


async def test_totals_are_those_of_the_islands_that_are_not_gone(db: Database) -> None:
    await creator(db, "maker", "a", "b", "c")
    await creator(db, "idle", "d")
    await meet(db)
    for minutes in (20, 10, 0):
        await store(db, TS - timedelta(minutes=minutes), "entries", {"a": 6, "b": 0})
    await store(db, TS, "entries", {"a": 9, "c": 40})
    await db.execute("update fortnite.island set gone_at = now() where code = 'c'")
    await timeseries.refresh(db)
    await performance.compute(db, TS)
    assert await totals.count(db) == 2
    row = await db.fetch_one(NOW, ("maker",))
    assert (row["islands"], row["played"], row["ccu"]) == (2, 1, 9)
    assert row["minutes_24h"] == row["minutes_7d"] == row["minutes_30d"] == 10 * (6 + 6 + 9)
    row = await db.fetch_one(NOW, ("idle",))
    assert (row["islands"], row["ccu"], row["minutes_24h"]) == (1, 0, None)
    assert await totals.count(db) == 0
    await db.execute("update fortnite.island set creator_account_id = 'idle' where code = 'a'")
    assert await totals.count(db) == 2
    rows = await db.fetch("select account_id, islands, ccu from analytics.creator order by 1")
    assert [tuple(row.values()) for row in rows] == [("idle", 2, 9), ("maker", 1, 0)]


async def test_a_day_that_is_over_is_added_up_beside_the_changes_of_that_day(db: Database) -> None:
    await creator(db, "maker", "a", "b")
    await creator(db, "quiet", "c")
    await creator(db, "other", "d")
    await db.execute("update fortnite.island set first_seen_at = '2026-11-19 00:00+00'")
    await db.execute(
        "update fortnite.island set first_seen_at = '2026-11-21 00:00+00' where code = 'b'"
    )
    await meet(db)
    await store(db, TS, "entries", {"a": 144, "d": 0})
    await store(db, TS + timedelta(days=1), "entries", {"a": 7, "b": 9})
    for hour, name in ((1, "old"), (14, "new"), (30, "newer")):
        body = f'{{"displayName": "{name}"}}'.encode()
        when = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour)
        await land(db, PLAYER_PAGE, [Found("quiet", body), Found("maker", body)], when)
    await db.execute(
        "select fortnite.store_followers('2026-11-20 23:59+00', array['quiet'], array[12])"
    )
    await db.execute(
        "select fortnite.store_followers('2026-11-21 00:00+00', array['quiet'], array[13])"
    )

    async def day() -> list[tuple[object, ...]]:
        rows = await db.fetch(
            "select account_id, islands, played, followers, ccu, minutes_played "
            "from fortnite.creator_daily join fortnite.creator using (creator_id) "
            "where day = %s order by 1",
            (DAY,),
        )
        return [tuple(row.values()) for row in rows]

    assert await totals.close_day(db, DAY) == 2
    maker = ("maker", 1, 1, None, 1.0, 1440)
    assert await day() == [maker, ("quiet", 1, 0, 12, 0.0, 0)]
    log = await db.fetch(
        "select account_id, field, old_value, new_value, ccu, islands, minutes_played, followers "
        "from analytics.creator_change order by changed_at, account_id"
    )
    assert [tuple(row.values()) for row in log] == [
        ("maker", "display_name", "old", "new", 1.0, 1, 1440, None),
        ("quiet", "display_name", "old", "new", 0.0, 1, 0, 12),
        ("maker", "display_name", "new", "newer", None, None, None, None),
        ("quiet", "display_name", "new", "newer", None, None, None, None),
    ]
    assert await totals.close_day(db, DAY) == 0
    await store(db, TS, "entries", {"a": 288})  # late
    assert await totals.close_day(db, DAY) == 1
    assert (await day())[0] == ("maker", 1, 1, None, 2.0, 2880)
    row = await db.fetch_one("select max(minutes_played) as minutes from fortnite.creator_change")
    assert row["minutes"] == 2880


async def test_days_are_closed_once_and_creators_sorted_by_what_is_played(db: Database) -> None:
    for name in ("large", "small", "idle", "fresh"):
        await creator(db, name, f"of-{name}")
    await meet(db)
    await db.execute("update engine.crawl set class = 2 where key <> 'fresh'")
    await db.execute(
        "insert into fortnite.creator_now (creator_id, minutes_24h, minutes_7d, ccu) "
        "select creator_id, case account_id when 'large' then 144000 else 10 end, "
        "case account_id when 'idle' then 0 else 10 end, 0 from fortnite.creator"
    )
    closed = await totals.close_days(db)
    assert (closed.days, closed.classes) == (1, 4)
    again = await totals.close_days(db)
    assert (again.days, again.classes) == (0, 0)
    rows = await db.fetch(
        "select resource, key, class from engine.crawl "
        "where resource in ('fortnite.creator', 'fortnite.player_page') order by 1, 2"
    )
    classes = {"fresh": 0, "idle": 3, "large": 1, "small": 2}
    assert [(row["key"], row["class"]) for row in rows] == [*classes.items()] * 2


async def test_a_day_has_all_its_samples_however_little_of_it_was_stored(db: Database) -> None:
    """Days landed before the first tick, and what comes to one that was added up before its last hours were stored."""
    await creator(db, "maker", "a")
    await meet(db)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=3)
    for instant in (first, first + timedelta(days=2), first + timedelta(days=2, hours=1)):
        await store(db, instant, "entries", {"a": 5})
    await timeseries.refresh(db)
    assert (await totals.close_days(db)).days == 1
    await store(db, midnight - timedelta(minutes=10), "entries", {"a": 9})
    await store(db, midnight, "entries", {"a": 1})
    await timeseries.refresh(db)
    await totals.close_days(db)
    rows = await db.fetch("select day, minutes_played from fortnite.creator_daily order by day")
    yesterday = midnight.date() - timedelta(days=1)
    assert [tuple(row.values()) for row in rows] == [(first.date(), 50), (yesterday, 190)]


async def test_an_island_on_the_page_of_another_is_logged_once_and_its_details_are_due(
    db: Database, options: Settings, upstream: Fake
) -> None:
    code = "8530-0110-2817"
    body = link(code) | {"accountId": "first"}
    await land(db, ISLAND, [details(body)], datetime(2026, 7, 1, tzinfo=UTC))
    await db.execute(
        "insert into engine.crawl (resource, key, due_at) values ('fortnite.island', %s, 'infinity') "
        "on conflict (key, resource) do update set due_at = 'infinity'",
        (code,),
    )
    await creator(db, "second", "mine")
    due = "select due_at <= now() as due from engine.crawl where resource = 'fortnite.island' and key = %s"
    upstream.creators = {
        "first": [[]],
        "second": [[linked("mine", 3), linked(code, 5), linked("new", 1)]],
    }

    async def sample(nth: int) -> list[tuple[object, ...]]:
        await db.execute(
            "update engine.crawl set due_at = now() where resource = 'fortnite.creator_page'"
        )
        await cycle(db, options, TS + timedelta(minutes=10 * nth))
        rows = await db.fetch(
            "select code, old_account_id, new_account_id, changed_at "
            "from fortnite.island_owner_change join fortnite.island using (island_id) "
            "order by change_id"
        )
        return [tuple(row.values()) for row in rows]

    assert not (await db.fetch_one(due, (code,)))["due"]
    first = (code, "first", "second", TS)
    assert await sample(0) == [first]
    assert (await db.fetch_one(due, (code,)))["due"]
    assert await sample(1) == [first]
    # the details follow, and later the island goes back
    later = datetime(2026, 7, 2, tzinfo=UTC)
    await land(db, ISLAND, [details(body | {"accountId": "second"})], later)
    assert await sample(2) == [first]
    upstream.creators["first"], upstream.creators["second"] = [[linked(code, 5)]], [[]]
    assert await sample(3) == [first, (code, "second", "first", TS + timedelta(minutes=30))]
    changed = await db.fetch("select old, new from fortnite.island_change")
    assert [(row["old"], row["new"]) for row in changed] == [
        ({"creator_account_id": "first"}, {"creator_account_id": "second"})
    ]


async def test_a_creator_that_is_gone_is_asked_for_less_and_less_often(db: Database) -> None:
    start = datetime(2026, 7, 1, tzinfo=UTC)
    await db.execute(
        "insert into engine.crawl (resource, key) values ('fortnite.player_page', 'x')"
    )
    away = []
    when = start
    for _ in range(8):
        await land(db, PLAYER_PAGE, [Missing("x", "404")], when)
        row = await db.fetch_one("select due_at from engine.crawl where key = 'x'")
        away.append(row["due_at"] - when)
        when = row["due_at"]
    assert away == sorted(away)
    assert away[0] < timedelta(days=1.1)
    assert timedelta(days=25) < away[-1] < timedelta(days=34)
