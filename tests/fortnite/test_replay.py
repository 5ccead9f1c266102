"""A replay of islands: rows and change log are those that landing made."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from etl.engine.database import Database, open_database
from etl.engine.items import Item, Missing
from etl.engine.replay import replay
from etl.engine.resource import land
from etl.fortnite.resources import CATALOGUE, ISLAND
from etl.pipelines import feeding
from tests.fortnite.bodies import details, link, links, listed

START = datetime(2026, 7, 1, tzinfo=UTC)
CODES = sorted({body["mnemonic"] for _, body in links()})

ISLANDS = "select * from fortnite.island order by code"
CHANGES = """
select island_id, changed_at, resource, version, activated_at, fields, old, new
from fortnite.island_change
order by island_id, changed_at, resource
"""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as database:
        yield database


async def _rows(conn: psycopg.AsyncConnection, query: Any) -> list[tuple[Any, ...]]:
    return await (await conn.execute(query)).fetchall()


def _page(chance: random.Random, hour: int) -> list[Item]:
    """Details of some islands, each a little different from before, some gone."""
    page: list[Item] = []
    for code in chance.sample(CODES, len(CODES) // 2):
        if chance.random() < 0.15:
            page.append(Missing(code, "404"))
            continue
        body = link(code)
        if chance.random() < 0.6:
            body["version"] = hour
            body["metadata"] = body["metadata"] | {"title": f"{hour} 戦い", "tagline": None}
        if chance.random() < 0.3:
            body["descriptionTags"] = ["a", chance.choice("bc")]
        page.append(details(body))
    return page


async def test_a_replay_of_both_resources_gives_the_same_islands_and_changes(
    db: Database, conn: psycopg.AsyncConnection
) -> None:
    chance = random.Random(11)
    await conn.execute(
        "select fortnite.ensure_island(%s, 'entries', %s)", [CODES[:4], START - timedelta(days=1)]
    )
    for hour in range(16):
        when = START + timedelta(hours=hour)
        if hour % 4 == 1:
            page = [
                listed(code, title=f"t{chance.randrange(3)}", tags=["x"], category="LEGO")
                for code in chance.sample(CODES, len(CODES) // 2)
            ]
            await land(db, CATALOGUE, page, when)
        else:
            await land(db, ISLAND, _page(chance, hour), when)
    islands, changes = await _rows(conn, ISLANDS), await _rows(conn, CHANGES)
    assert len(islands) == len(CODES)
    assert len(changes) > 50
    await conn.execute("update fortnite.island set title = 'spoilt', version = -1, gone_at = now()")
    await conn.execute("delete from fortnite.island_change where change_id % 2 = 0")
    await conn.execute("delete from search.dirty")
    crawl = await _rows(conn, "select c::text from engine.crawl as c order by key, resource")
    for _ in range(2):
        await replay(db, feeding("fortnite.island"))
        assert await _rows(conn, ISLANDS) == islands
        assert await _rows(conn, CHANGES) == changes
    assert (
        await _rows(conn, "select c::text from engine.crawl as c order by key, resource") == crawl
    )
    documents = await _rows(conn, "select distinct id from search.pending order by id")
    assert [code for (code,) in documents] == CODES
