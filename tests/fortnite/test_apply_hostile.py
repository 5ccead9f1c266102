"""Islands out of bad details, and out of several landings at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

from etl.engine.database import Database, open_database
from etl.engine.items import Found
from etl.engine.resource import land
from etl.fortnite.resources import CATALOGUE, ISLAND
from tests.fortnite.bodies import columns, details, link, listed

Conn = psycopg.AsyncConnection

CODE = "8530-0110-2817"
START = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=10) as database:
        yield database


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


async def island(conn: Conn, code: str = CODE) -> dict[str, Any]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from fortnite.island where code = %s", [code])
        (row,) = await cursor.fetchall()
        return row


WRONG: list[tuple[list[str], object, str]] = [
    (["version"], "7", "`$.version`"),
    (["version"], 2**40, "`$.version`"),
    (["active"], "yes", "`$.active`"),
    (["created"], "yesterday", "`$.created`"),
    (["created"], 17, "`$.created`"),
    (["accountId"], 5, "`$.accountId`"),
    (["accountId"], "x" * 5000, "`$.accountId`"),
    (["descriptionTags"], "pvp", "`$.descriptionTags`"),
    (["descriptionTags"], ["pvp", 5], "`$.descriptionTags[1]`"),
    (["metadata"], [], "`$.metadata`"),
    (["metadata", "title"], {"en": "x"}, "`$.metadata.title`"),
    (["metadata", "title"], "x" * 900_000, "`$.metadata.title`"),
    (["metadata", "image_urls"], "http://x", "`$.metadata.image_urls`"),
    (["metadata", "square_image_urls"], {"url": 1}, "`$.metadata.square_image_urls.url`"),
    (["metadata", "matchmakingV2", "maxPlayers"], "16", "`$.metadata.matchmakingV2.maxPlayers`"),
    (["metadata", "dynamicXp"], "LiveXp", "`$.metadata.dynamicXp`"),
    (["metadata", "category_labels"], {}, "`$.metadata.category_labels`"),
]


async def test_wrong_fields_are_set_aside_by_name_and_the_batch_goes_on(
    db: Database, conn: Conn
) -> None:
    page = [details(link("8919-2198-4501"))]
    for nth, (path, value, _) in enumerate(WRONG):
        body = link(CODE) | {"mnemonic": f"wrong-{nth:02}"}
        inner = body
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        page.append(details(body))
    page.append(details(link("5132-3254-2705")))
    numbers = await land(db, ISLAND, page, at(0))
    assert (numbers.landed, numbers.rejected) == (2, len(WRONG))
    cursor = await conn.execute("select key, reason, body from raw.rejected order by key")
    for item, (_, _, said), (key, reason, kept) in zip(
        page[1:-1], WRONG, await cursor.fetchall(), strict=True
    ):
        assert (key, kept) == (item.key, item.body)
        assert said in reason


async def test_any_field_may_be_null_or_absent(db: Database, conn: Conn) -> None:
    for nth, name in enumerate(sorted(link(CODE).keys() - {"mnemonic"})):
        null = link(CODE) | {"mnemonic": f"null-{nth}", name: None}
        absent = link(CODE) | {"mnemonic": f"absent-{nth}"}
        del absent[name]
        numbers = await land(db, ISLAND, [details(null), details(absent)], at(0))
        assert numbers.landed == 2, name
        for body in (null, absent):
            row = await island(conn, body["mnemonic"])
            expected = columns(body)
            assert {column: row[column] for column in expected} == expected


@pytest.mark.parametrize(
    "raw",
    [
        rb'"title": "a\u0000b"',
        rb'"mode": "a\u0000b"',
        rb'"mode": "\udead"',
        b'"mode": NaN',
        b'"mode": "\xff"',
    ],
)
async def test_bytes_that_postgresql_cannot_hold_are_set_aside(
    db: Database, conn: Conn, raw: bytes
) -> None:
    """Whether the field is one we read or not: the body is kept whole, so it must be storable."""
    body = b'{"mnemonic": "1", "metadata": {' + raw + b"}}"
    numbers = await land(db, ISLAND, [Found("1", body), details(link(CODE))], at(0))
    assert (numbers.landed, numbers.rejected) == (1, 1)
    cursor = await conn.execute("select body from raw.rejected")
    assert await cursor.fetchall() == [(body,)]


async def test_details_wait_for_a_listing_under_way_and_build_on_it(
    db: Database, conn: Conn, database_url: str
) -> None:
    await land(db, ISLAND, [details(link(CODE))], at(0))
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        entry = orjson.dumps({"code": CODE, "createdIn": "FNC", "displayName": "shown"}).decode()
        await other.execute(
            "select fortnite.apply_catalogue('fortnite.catalogue', %s, %s, %s::jsonb[])",
            [[at(1)], [CODE], [entry]],
        )
        body = link(CODE) | {"version": 999}
        work = asyncio.create_task(land(db, ISLAND, [details(body)], at(2)))
        await asyncio.sleep(0.3)
        assert not work.done()
        await other.commit()
        assert (await work).changed == 1
    row = await island(conn)
    assert (row["version"], row["created_in"], row["display_name"]) == (999, "FNC", "shown")


async def test_an_island_that_somebody_else_adds_meanwhile_is_landed_all_the_same(
    db: Database, conn: Conn, database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute(
            "insert into fortnite.island (code, source, first_seen_at) values (%s, 'entries', %s)",
            [CODE, at(0)],
        )
        work = asyncio.create_task(land(db, ISLAND, [details(link(CODE))], at(1)))
        await asyncio.sleep(0.3)
        assert not work.done()
        await other.commit()
        numbers = await work
    assert (numbers.landed, numbers.rejected) == (1, 0)
    row = await island(conn)
    assert (row["source"], row["detailed_at"]) == ("entries", at(1))


async def test_listing_and_details_land_the_same_islands_at_once(db: Database, conn: Conn) -> None:
    """Eight writers, two resources: no deadlock escapes, the rows are what both say."""
    codes = [f"{n:04}-0000-0000" for n in range(60)]

    def both(writer: int, turn: int) -> Any:
        if writer % 2:
            page = [listed(code, title=f"listed {turn}", createdIn="FNC") for code in codes]
            return land(db, CATALOGUE, page[:: 1 if writer < 4 else -1], at(turn))
        bodies = []
        for code in codes:
            body = link(CODE) | {"mnemonic": code, "version": turn}
            bodies.append(details(body))
        return land(db, ISLAND, bodies[:: 1 if writer < 4 else -1], at(turn))

    async def writer(number: int) -> None:
        for turn in range(6):
            await both(number, turn)

    await asyncio.gather(*(writer(number) for number in range(8)))
    cursor = await conn.execute(
        "select count(*), count(*) filter (where version = 5 and created_in = 'FNC' "
        "and title = %s and listed_at is not null) from fortnite.island",
        [link(CODE)["metadata"]["title"]],
    )
    assert await cursor.fetchall() == [(60, 60)]
