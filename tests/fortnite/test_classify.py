"""Crawl classes follow what islands do."""

from datetime import timedelta

import psycopg
import pytest

from etl.engine.database import open_database
from etl.fortnite import classify as module
from etl.fortnite.classify import classify
from etl.settings import Settings


async def put(
    conn: psycopg.AsyncConnection,
    code: str,
    *,
    klass: int,
    avg_7d: float | None = None,
    coverage: float = 1,
    known: timedelta = timedelta(days=90),
) -> None:
    await conn.execute(
        "insert into fortnite.island (code, source, first_seen_at) values (%s, 'catalogue', now() - %s)",
        [code, known],
    )
    await conn.execute(
        "insert into engine.crawl (resource, key, class, due_at)"
        " values ('fortnite.island', %s, %s, now() + interval '1 day')",
        [code, klass],
    )
    if avg_7d is not None:
        await conn.execute(
            "insert into fortnite.island_performance (island_id, computed_at, avg_7d, coverage_7d, peak_30d)"
            " select island_id, now(), %s, %s, 1 from fortnite.island where code = %s",
            [avg_7d, coverage, code],
        )


async def classes(conn: psycopg.AsyncConnection) -> dict[str, int]:
    cursor = await conn.execute("select key, class from engine.crawl order by key")
    return dict(await cursor.fetchall())


async def test_each_island_gets_the_class_it_fits(
    conn: psycopg.AsyncConnection,
    database_url: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ISLANDS", 2)  # several transactions
    await put(conn, "a-first", klass=2, avg_7d=900)
    await put(conn, "b-second", klass=1, avg_7d=800)
    await put(conn, "c-third", klass=1, avg_7d=700)
    await put(conn, "d-woke-up", klass=3, avg_7d=1)
    await put(conn, "e-silent", klass=2)
    await put(conn, "f-young", klass=2, known=timedelta(days=3))
    await put(conn, "g-never-fetched", klass=0)
    await put(conn, "h-one-lucky-sample", klass=2, avg_7d=9000, coverage=0.05)
    options = settings.model_copy(update={"fortnite_ccu_top": 2})
    async with open_database(database_url) as db:
        assert await classify(db, options) == 4
        assert await classify(db, options) == 0
    assert await classes(conn) == {
        "a-first": 1,
        "b-second": 1,
        "c-third": 2,
        "d-woke-up": 2,
        "e-silent": 3,
        "f-young": 2,
        "g-never-fetched": 0,
        "h-one-lucky-sample": 2,
    }
    cursor = await conn.execute("select key from engine.crawl where due_at <= now()")
    assert await cursor.fetchall() == [("d-woke-up",)]


async def test_nothing_is_popular_while_nothing_was_measured(
    conn: psycopg.AsyncConnection, database_url: str, settings: Settings
) -> None:
    await put(conn, "a", klass=2, known=timedelta(days=1))
    async with open_database(database_url) as db:
        assert await classify(db, settings) == 0
