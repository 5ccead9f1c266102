"""Islands out of the public catalogue, alone and together with their details."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

from etl.engine.database import Database, open_database
from etl.engine.items import Found, Missing
from etl.engine.resource import land
from etl.fortnite.resources import CATALOGUE, ISLAND
from tests.data import recorded
from tests.fortnite.bodies import catalogue, columns, details, link, listed

Conn = psycopg.AsyncConnection

CODE = "8530-0110-2817"
START = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as database:
        yield database


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


async def fetch(conn: Conn, query: Any, *params: object) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def island(conn: Conn, code: str = CODE) -> dict[str, Any]:
    (row,) = await fetch(conn, "select * from fortnite.island where code = %s", code)
    return row


async def test_recorded_pages(db: Database, conn: Conn) -> None:
    for name in ("islands-page-uefn-and-fnc", "islands-page-two-uefn"):
        page = orjson.loads(recorded(f"data-api/{name}.json").read_bytes())["data"]
        items = [Found(entry["code"], orjson.dumps(entry)) for entry in page]
        assert (await land(db, CATALOGUE, items, at(0))).landed == 2
        for entry in page:
            row = await island(conn, entry["code"])
            assert {name: value for name, value in row.items() if value is not None} == {
                "island_id": row["island_id"],
                "code": entry["code"],
                "source": "catalogue",
                "first_seen_at": at(0),
                "listed_at": at(0),
                "title": entry["title"],
                "tags": entry["tags"],
                "creator_code": entry["creatorCode"],
                "created_in": entry["createdIn"],
            }


async def test_a_mode_of_epic(db: Database, conn: Conn) -> None:
    body = recorded("data-api/island-battle-royale.json").read_bytes()
    await land(db, CATALOGUE, [Found("experience_br", body)], at(0))
    row = await island(conn, "experience_br")
    assert (row["display_name"], row["title"], row["tags"]) == (
        "battle-royale",
        "Battle Royale",
        [],
    )


async def test_titles_of_the_recorded_catalogue_byte_for_byte(db: Database, conn: Conn) -> None:
    entries = [entry for entry in catalogue(6000) if not entry["title"].isascii()]
    assert len(entries) > 1500
    items = [
        listed(e["code"], title=e["title"], tags=e["tags"], creatorCode=e["creatorCode"])
        for e in entries
    ]
    assert (await land(db, CATALOGUE, items, at(0))).landed == len(entries)
    rows = await fetch(
        conn, "select code, convert_to(title, 'UTF8') as title, tags from fortnite.island"
    )
    assert {row["code"]: (bytes(row["title"]), row["tags"]) for row in rows} == {
        entry["code"]: (entry["title"].encode(), entry["tags"]) for entry in entries
    }


async def test_a_listed_island_is_crawled_first_and_marked(db: Database, conn: Conn) -> None:
    await land(db, CATALOGUE, [listed(CODE, title="x", tags=[])], at(0))
    crawl = "select key, class, state, due_at <= now() as due from engine.crawl where resource = %s"
    assert await fetch(conn, crawl, "fortnite.island") == [
        {"key": CODE, "class": 0, "state": "active", "due": True}
    ]
    assert await fetch(conn, "select index, id from search.pending") == [
        {"index": "island", "id": CODE}
    ]


async def test_what_the_catalogue_changes_is_logged(db: Database, conn: Conn) -> None:
    await land(db, CATALOGUE, [listed(CODE, title="one", tags=["a"], createdIn="FNC")], at(0))
    await land(db, CATALOGUE, [listed(CODE, title="two", tags=["a", "b"])], at(1))
    (change,) = await fetch(conn, "select * from fortnite.island_change")
    assert change["resource"] == "fortnite.catalogue"
    assert change["changed_at"] == at(1)
    assert change["fields"] == ["tags", "title"]
    assert change["old"] == {"title": "one", "tags": ["a"]}
    assert change["new"] == {"title": "two", "tags": ["a", "b"]}
    row = await island(conn)
    assert (row["created_in"], row["listed_at"]) == ("FNC", at(0))


LISTING = {
    "title": "listed",
    "tags": ["listed"],
    "creatorCode": "listed",
    "createdIn": "UEFN",
    "category": "LEGO",
}


@pytest.mark.parametrize("first", ["listing", "details"])
async def test_details_win_and_the_catalogue_fills_in(db: Database, conn: Conn, first: str) -> None:
    """Whichever comes first, the row is the same and neither counts as a change."""
    body = link(CODE)
    assert "linkCategory" not in body
    landings = [(CATALOGUE, listed(CODE, **LISTING)), (ISLAND, details(body))]
    for hour, (resource, item) in enumerate(landings if first == "listing" else landings[::-1]):
        await land(db, resource, [item], at(hour))
    row = await island(conn)
    expected = columns(body) | {"category": "LEGO"}
    assert {name: row[name] for name in expected} == expected
    assert row["listed_at"] == at(0 if first == "listing" else 1)
    assert row["detailed_at"] == at(1 if first == "listing" else 0)
    assert row["source"] == ("catalogue" if first == "listing" else "details")
    assert await fetch(conn, "select * from fortnite.island_change") == []


async def test_a_listing_after_the_details_changes_only_what_they_leave_open(
    db: Database, conn: Conn
) -> None:
    body = link(CODE)
    del body["metadata"]["supportCode"]
    await land(db, CATALOGUE, [listed(CODE, **LISTING)], at(0))
    await land(db, ISLAND, [details(body)], at(1))
    await land(
        db,
        CATALOGUE,
        [listed(CODE, title="again", tags=[], creatorCode="again", displayName="shown")],
        at(2),
    )
    row = await island(conn)
    assert row["title"] == body["metadata"]["title"]
    assert row["tags"] == body["descriptionTags"]
    assert (row["creator_code"], row["display_name"]) == ("listed", "shown")
    (change,) = await fetch(conn, "select fields, version from fortnite.island_change")
    assert change == {"fields": ["display_name"], "version": body["version"]}


async def test_a_bad_entry_is_set_aside_by_the_name_of_its_field(db: Database, conn: Conn) -> None:
    page = [
        listed("a", title=5, tags=[]),
        listed("b", title="good", tags=[]),
        listed("c", title="x", tags="pvp"),
    ]
    numbers = await land(db, CATALOGUE, page, at(0))
    assert (numbers.landed, numbers.rejected) == (1, 2)
    reasons = await fetch(conn, "select key, reason from raw.rejected order by key")
    assert [row["key"] for row in reasons] == ["a", "c"]
    assert "`$.title`" in reasons[0]["reason"]
    assert "`$.tags`" in reasons[1]["reason"]


async def test_islands_met_elsewhere_keep_where_and_when(db: Database, conn: Conn) -> None:
    met = "select * from fortnite.ensure_island(%s, 'entries', %s) order by code"
    first = await fetch(conn, met, [CODE, "2222-2222-2222", CODE], at(0))
    assert [row["code"] for row in first] == ["2222-2222-2222", CODE]
    again = await fetch(conn, met, [CODE, "3333-3333-3333"], at(5))
    assert again[1] == first[1]
    await land(db, CATALOGUE, [listed(CODE, **LISTING)], at(6))
    await land(db, ISLAND, [details(link(CODE)), Missing("2222-2222-2222", "404")], at(7))
    row = await island(conn)
    assert (row["island_id"], row["source"], row["first_seen_at"]) == (
        first[1]["island_id"],
        "entries",
        at(0),
    )
    assert (await island(conn, "2222-2222-2222"))["gone_at"] == at(7)
    crawl = "select count(*) as n from engine.crawl where resource = 'fortnite.island'"
    assert await fetch(conn, crawl) == [{"n": 3}]
    assert await fetch(conn, "select count(distinct id) as n from search.pending") == [{"n": 3}]
