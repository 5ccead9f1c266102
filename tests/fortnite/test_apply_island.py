"""Islands out of the details of the Links service, against every recorded body."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from etl.engine.database import Database, open_database
from etl.engine.items import Missing
from etl.engine.resource import land
from etl.fortnite.resources import ISLAND
from tests import marks
from tests.data import recorded
from tests.fortnite.bodies import columns, details, link, links

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


async def changes(conn: Conn) -> list[tuple[Any, ...]]:
    cursor = await conn.execute(
        "select changed_at, resource, version, activated_at, fields, old, new "
        "from fortnite.island_change order by change_id"
    )
    return await cursor.fetchall()


async def marked(conn: Conn) -> list[str]:
    """Documents marked since the last look."""
    cursor = await conn.execute(marks.TAKE)
    return sorted([id_ for (id_,) in await cursor.fetchall()])


@pytest.mark.parametrize("nth", range(len(links())))
async def test_every_column_of_every_recorded_body(db: Database, conn: Conn, nth: int) -> None:
    _, body = links()[nth]
    numbers = await land(db, ISLAND, [details(body)], at(0))
    assert (numbers.landed, numbers.rejected) == (1, 0)
    row = await island(conn, body["mnemonic"])
    expected = columns(body)
    assert {name: row[name] for name in expected} == expected
    rest = row.keys() - expected.keys() - {"island_id"}
    assert {name: row[name] for name in rest} == {
        "source": "details",
        "first_seen_at": at(0),
        "detailed_at": at(0),
        "listed_at": None,
        "gone_at": None,
    }


async def test_the_same_island_as_another_service_shows_it(db: Database, conn: Conn) -> None:
    """The flat form was captured hours earlier, one version before; what did not move must agree."""
    await land(db, ISLAND, [details(link(CODE))], at(0))
    row = await island(conn)
    flat = json.loads(recorded("links/island-8530-0110-2817-flat.json").read_bytes())["data"]
    assert row["code"] == flat["id"]
    assert row["title"] == flat["name"]
    assert row["tagline"] == flat["tagline"]
    assert row["description"] == flat["introduction"]
    assert row["tags"] == flat["tags"]
    assert row["locale"] == flat["locale"]
    assert row["creator_name"] == flat["owner_name"]
    assert row["creator_code"] == flat["owner_code"]
    assert row["image_url"] == flat["image_url"]
    assert row["square_image_url"] == flat["square_image_url"]
    assert row["lobby_image_url"] == flat["lobby_background_image_url"]
    assert row["published_at"] == datetime.fromisoformat(flat["published"])
    assert row["max_players"] == flat["max_players"]
    assert row["moderation_status"] == flat["moderation_status"]
    assert row["discovery_intent"] == flat["discovery_intent"]
    assert row["xp_enabled"] is flat["xp_enabled"] is True
    assert row["created_in"] == flat["type"].upper()
    assert row["version"] == flat["version"] + 1


async def test_text_is_kept_byte_for_byte(db: Database, conn: Conn) -> None:
    body = link(CODE)
    text = "عاركني بالبناء 戦い💎 a\u200bb\u202e\ufeff e\u0301 é 🧑\u200d🚀 \t\n  "
    body["metadata"] |= {"title": text, "tagline": text, "introduction": text}
    body["descriptionTags"] = [text, "", "a,b", '"{}\\']
    await land(db, ISLAND, [details(body)], at(0))
    row = await island(conn)
    assert [row[name].encode() for name in ("title", "tagline", "description")] == [
        text.encode()
    ] * 3
    assert row["tags"] == body["descriptionTags"]


async def test_a_private_island_keeps_its_intent(db: Database, conn: Conn) -> None:
    body = link("0000-0000-0001")
    assert body["discoveryIntent"] == "PRIVATE"
    await land(db, ISLAND, [details(body)], at(0))
    assert (await island(conn, "0000-0000-0001"))["discovery_intent"] == "PRIVATE"


async def test_what_changed_is_logged_with_old_and_new(db: Database, conn: Conn) -> None:
    body = link(CODE)
    await land(db, ISLAND, [details(body)], at(0))
    assert await changes(conn) == []
    assert await marked(conn) == [CODE]
    before = await island(conn)
    body["version"] += 1
    body["lastActivatedDate"] = "2026-07-01T05:00:00.250Z"
    body["metadata"] |= {"title": 'A "new" title', "matchmakingV2": {"maxPlayers": 32}}
    del body["metadata"]["tagline"]
    body["descriptionTags"] = ["pvp"]
    await land(db, ISLAND, [details(body)], at(6))
    row = await island(conn)
    expected = columns(body)
    assert {name: row[name] for name in expected} == expected
    assert row["detailed_at"] == at(0)
    ((changed_at, resource, version, activated_at, fields, old, new),) = await changes(conn)
    activated = datetime(2026, 7, 1, 5, 0, 0, 250_000, tzinfo=UTC)
    assert (changed_at, resource, version, activated_at) == (
        at(6),
        "fortnite.island",
        body["version"],
        activated,
    )
    assert fields == sorted(name for name in expected if before[name] != row[name])
    assert {"title", "tagline", "tags", "version", "max_players", "skill_based"} < set(fields)
    assert set(old) == set(new) == set(fields)
    for name in fields:
        assert before[name] == _read(old[name], before[name])
        assert row[name] == _read(new[name], row[name])
    assert await marked(conn) == [CODE]


def _read(value: Any, like: object) -> object:
    return datetime.fromisoformat(value) if isinstance(like, datetime) else value


async def test_a_body_that_differs_in_nothing_we_read_logs_and_marks_nothing(
    db: Database, conn: Conn
) -> None:
    body = link(CODE)
    await land(db, ISLAND, [details(body)], at(0))
    await marked(conn)
    before = await conn.execute("select xmin, * from fortnite.island")
    old = await before.fetchall()
    body["metadata"]["mode"] = "other"
    numbers = await land(db, ISLAND, [details(body)], at(1))
    assert numbers.changed == 1
    after = await conn.execute("select xmin, * from fortnite.island")
    assert await after.fetchall() == old
    assert await changes(conn) == []
    assert await marked(conn) == []


async def test_an_island_that_vanishes_and_comes_back(db: Database, conn: Conn) -> None:
    body = link(CODE)
    await land(db, ISLAND, [details(body)], at(0))
    kept = columns(body)
    await marked(conn)
    for hour in (1, 2):
        assert (await land(db, ISLAND, [Missing(CODE, "404")], at(hour))).missing == 1
        row = await island(conn)
        assert row["gone_at"] == at(1)
        assert {name: row[name] for name in kept} == kept
        assert await marked(conn) == ([CODE] if hour == 1 else [])
    await land(db, ISLAND, [details(body)], at(3))
    assert (await island(conn))["gone_at"] is None
    assert await marked(conn) == [CODE]
    logged = [
        (
            when,
            fields,
            old["gone_at"] and datetime.fromisoformat(old["gone_at"]),
            new["gone_at"] and datetime.fromisoformat(new["gone_at"]),
        )
        for when, _, _, _, fields, old, new in await changes(conn)
    ]
    assert logged == [
        (at(1), ["gone_at"], None, at(1)),
        (at(3), ["gone_at"], at(1), None),
    ]


async def test_one_that_never_was_there_leaves_no_row(db: Database, conn: Conn) -> None:
    numbers = await land(db, ISLAND, [Missing("1111-1111-1111", "404")], at(0))
    assert numbers.missing == 1
    cursor = await conn.execute("select count(*) from fortnite.island")
    assert await cursor.fetchall() == [(0,)]


async def test_an_island_known_to_be_gone_is_not_lost_again(db: Database, conn: Conn) -> None:
    await land(db, ISLAND, [details(link(CODE))], at(0))
    for hour in (1, 2):
        await conn.execute(
            "select fortnite.apply_island('fortnite.island', %s, %s, array['null'::jsonb])",
            [[at(hour)], [CODE]],
        )
    assert (await island(conn))["gone_at"] == at(1)
    assert len(await changes(conn)) == 1
