"""Creators come on the schedule a bounded number of islands at a time."""

from etl.engine.database import Database
from tests.fortnite.samples import creator


async def meet(db: Database, most: int) -> int:
    return int((await db.fetch_one("select fortnite.meet_creators(%s) as n", (most,)))["n"])


async def scheduled(db: Database) -> list[str]:
    rows = await db.fetch(
        "select key from engine.crawl where resource = 'fortnite.creator_page' order by key"
    )
    return [row["key"] for row in rows]


async def test_all_creators_are_met_a_few_islands_at_a_time_and_then_again(db: Database) -> None:
    await creator(db, "a", "1", "2")
    await creator(db, "b", "3", "4", "5")  # more islands than one look has
    await creator(db, "c", "6")
    assert [await meet(db, 2) for _ in range(2)] == [1, 1]
    assert await scheduled(db) == ["a", "b"]
    await creator(db, "aa", "7")  # behind the walk, which comes by again
    assert [await meet(db, 2) for _ in range(3)] == [1, 0, 1]
    assert await scheduled(db) == ["a", "aa", "b", "c"]
    assert [await meet(db, 2) for _ in range(6)] == [0] * 6


async def test_a_page_that_failed_is_not_hurried(db: Database) -> None:
    for name in ("fine", "failing"):
        await creator(db, name, f"of-{name}")
    await meet(db, 10)
    await db.execute("update fortnite.creator set bulk_gone_at = now()")
    await db.execute(
        "update engine.crawl set due_at = now() + interval '1 hour', "
        "last_fetched_at = now() - interval '1 day', attempts = (key = 'failing')::integer"
    )
    assert await db.fetch("select fortnite.hurry_pages() as n") == [{"n": 1}]
    rows = await db.fetch(
        "select key from engine.crawl where resource = 'fortnite.player_page' and due_at <= now()"
    )
    assert rows == [{"key": "fine"}]
