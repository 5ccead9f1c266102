"""Creators out of the bulk route and of player pages, against every recorded body."""

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from etl.engine.database import Database, open_database
from etl.engine.items import Found, Item, Missing
from etl.engine.replay import replay
from etl.engine.resource import land
from etl.fortnite.resources import CREATOR, PLAYER_PAGE
from etl.fortnite.totals import close_day
from etl.pipelines import feeding
from tests.data import recorded

Conn = psycopg.AsyncConnection
Body = dict[str, Any]

START = datetime(2026, 7, 1, tzinfo=UTC)
AVATAR = "https://cdn2.unrealengine.com/t-ui-creatorprofile-default-256x256-8d5feae6bc8e.png"
BANNER = (
    "https://cdn2.unrealengine.com/t-ui-creatorprofile-banner-fallbackerror-1920x1080-"
    "3f830cc95018.png"
)
OWN = "https://cdn-0001.qstv.on.epicgames.com/06xTpVCh5zKWvOBU3idIw3/image.jpg"
NETWORKS = {
    "discord": "discord",
    "instagram": "instagram",
    "tiktok": "tikTok",
    "twitch": "twitch",
    "twitter": "twitter",
    "youtube": "youtube",
}


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as database:
        yield database


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def load(name: str) -> Any:  # whatever was recorded
    return json.loads(recorded(name).read_bytes())


def page(account: str, **more: object) -> Found:
    """A player page with what a test gives and the rest as recorded."""
    return Found(account, json.dumps(load("examples/pops_page.json") | more).encode())


def summary(account: str, **more: object) -> Found:
    """An entry of the bulk route."""
    body = load("examples/pops_page_bulk.json")["results"][0] | {"playerId": account}
    return Found(account, json.dumps(body | more).encode())


async def creator(conn: Conn, account: str) -> Body:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("select * from fortnite.creator where account_id = %s", [account])
        (row,) = await cursor.fetchall()
        return row


async def changes(conn: Conn) -> list[tuple[Any, ...]]:
    cursor = await conn.execute(
        "select changed_at, resource, fields, old, new from fortnite.creator_change "
        "order by change_id"
    )
    return await cursor.fetchall()


@pytest.mark.parametrize(
    ("name", "handles"),
    [
        (
            "examples/pops_page.json",
            dict.fromkeys(("discord", "instagram", "tiktok", "youtube"), "fortnite")
            | {"twitter": "FortniteGame", "twitch": None},
        ),
        ("creators/pops-page.json", dict.fromkeys(NETWORKS) | {"instagram": "examplehandle"}),
    ],
)
async def test_every_column_of_every_recorded_page(
    db: Database, conn: Conn, name: str, handles: dict[str, str | None]
) -> None:
    body = load(name)
    numbers = await land(db, PLAYER_PAGE, [Found("x", json.dumps(body).encode())], at(0))
    assert (numbers.landed, numbers.rejected) == (1, 0)
    row = await creator(conn, "x")
    assert isinstance(row.pop("creator_id"), int)
    assert row == handles | {
        "account_id": "x",
        "source": "fortnite.player_page",
        "met_island_id": None,
        "first_seen_at": at(0),
        "bulk_at": None,
        "bulk_gone_at": None,
        "page_at": at(0),
        "page_gone_at": None,
        "gone_at": None,
        "display_name": body["displayName"],
        "bio": body["bio"],
        "avatar_url": body["images"]["avatar"],
        "banner_url": body["images"]["banner"],
        "surface_name": body["surfaceName"],
    }


async def test_every_recorded_entry_of_the_bulk_route(db: Database, conn: Conn) -> None:
    entries = load("examples/pops_page_bulk.json")["results"]
    await land(db, CREATOR, [Found(e["playerId"], json.dumps(e).encode()) for e in entries], at(0))
    for entry in entries:
        row = await creator(conn, entry["playerId"])
        assert row["display_name"] == entry["displayName"]
        assert row["avatar_url"] == entry["images"]["avatar"]
        assert (row["bulk_at"], row["page_at"], row["banner_url"]) == (at(0), None, None)


async def test_the_fifty_largest_creators_text_for_text(db: Database, conn: Conn) -> None:
    """They were recorded in another form: names in Arabic, wide blanks, emoji, default images."""
    fifty = load("creators/top-50-creators-by-ccu.json")["data"]
    items = [
        page(
            one["id"],
            displayName=one["name"],
            bio=one["lookup_bio"],
            followerCount=one["lookup_follower_count"],
            images={"avatar": one["lookup_avatar"], "banner": one["lookup_banner"]},
            social={},
        )
        for one in fifty
    ]
    assert (await land(db, PLAYER_PAGE, items, at(0))).landed == 50
    for one in fifty:
        row = await creator(conn, one["id"])
        assert row["display_name"].encode() == one["name"].encode()
        assert row["bio"] == one["lookup_bio"]
        for column, url, default in (
            ("avatar_url", one["lookup_avatar"], AVATAR),
            ("banner_url", one["lookup_banner"], BANNER),
        ):
            assert row[column] == (None if url == default else url)


@pytest.mark.parametrize(
    ("network", "said", "handle"),
    [
        ("instagram", "examplehandle?igsh=REDACTED%3D&utm_source=qr", "examplehandle"),
        ("instagram", "https://www.instagram.com/some.body_1/?hl=en", "some.body_1"),
        ("instagram", "some.body/reels/", "some.body"),
        ("instagram", "%40name", "name"),
        ("tiktok", "@fortnite", "fortnite"),
        ("tiktok", "tiktok.com/@fortnite?_t=8&_r=1", "fortnite"),
        ("twitter", "https://x.com/FortniteGame#m", "FortniteGame"),
        ("twitter", "http://mobile.twitter.com/FortniteGame/status/1", "FortniteGame"),
        ("youtube", "https://youtube.com/@fortnite?si=Ab", "fortnite"),
        ("youtube", "https://m.youtube.com/c/Fortnite/videos", "Fortnite"),
        ("youtube", "www.youtube.com/channel/UCy-1_x?sub_confirmation=1", "channel/UCy-1_x"),
        ("youtube", "channel/UCy-1_x/", "channel/UCy-1_x"),
        ("discord", "https://discord.gg/AbC123", "AbC123"),
        ("discord", "discord.com/invite/AbC123?x=1", "AbC123"),
        ("discord", "name#0420", "name#0420"),
        ("twitch", "https://twitch.tv/someone/about", "someone"),
        ("twitter", "mr.x", "mr.x"),
        ("twitter", " \u200b\ufeff@na\u2060me\u202e\t\n", "name"),
        ("instagram", "https://linktr.ee/Somebody?utm=1", "linktr.ee/Somebody"),
        ("youtube", "مايكل", "مايكل"),
        ("twitter", "https://x.com/", None),
        ("youtube", "youtube.com", None),
        ("instagram", " @ ", None),
        ("discord", "", None),
    ],
)
async def test_a_handle_without_what_is_left_of_an_address(
    conn: Conn, network: str, said: str, handle: str | None
) -> None:
    cursor = await conn.execute("select fortnite.social_handle(%s, %s)", [network, said])
    assert await cursor.fetchall() == [(handle,)]


async def test_what_changed_is_logged_with_old_and_new_and_the_first_of_each_route_is_none(
    db: Database, conn: Conn
) -> None:
    bio = "Bio عاركني 戦い💎 a\u200bb\u202e e\u0301 🧑\u200d🚀 \t\n  "
    await land(db, CREATOR, [summary("x", displayName="Old")], at(0))
    await land(
        db,
        PLAYER_PAGE,
        [page("x", displayName="Old", images={"avatar": OWN, "banner": OWN})],
        at(1),
    )
    assert await changes(conn) == []
    other = OWN.replace("06x", "07x")
    await land(db, CREATOR, [summary("x", displayName="New", images={"avatar": other})], at(2))
    social = {"youtube": "@fortnite", "tikTok": "other", "twitch": "https://twitch.tv/x"}
    new = page("x", displayName="New", bio=bio, images={"avatar": other}, social=social)
    await land(db, PLAYER_PAGE, [new], at(3))
    epic = load("examples/pops_page.json")
    assert await changes(conn) == [
        (
            at(2),
            "fortnite.creator",
            ["avatar_url", "display_name"],
            {"avatar_url": OWN, "display_name": "Old"},
            {"avatar_url": other, "display_name": "New"},
        ),
        (
            at(3),
            "fortnite.player_page",
            ["bio", "discord", "instagram", "tiktok", "twitch", "twitter"],
            {
                "bio": epic["bio"],
                "discord": "fortnite",
                "instagram": "fortnite",
                "tiktok": "fortnite",
                "twitch": None,
                "twitter": "FortniteGame",
            },
            {
                "bio": bio,
                "discord": None,
                "instagram": None,
                "tiktok": "other",
                "twitch": "x",
                "twitter": None,
            },
        ),
    ]
    row = await creator(conn, "x")
    assert row["bio"].encode() == bio.encode()
    assert (row["bulk_at"], row["page_at"], row["youtube"]) == (at(0), at(1), "fortnite")
    assert row["banner_url"] == OWN  # the bulk route has none of anybody
    assert row["banner_url"] == OWN  # the bulk route has none for anybody


async def test_defaults_that_take_each_others_place_and_what_always_moves_are_no_change(
    db: Database, conn: Conn
) -> None:
    defaults = {"avatar": AVATAR, "banner": BANNER}
    await land(db, PLAYER_PAGE, [page("x", images=defaults)], at(0))
    row = "select xmin, * from fortnite.creator"
    before = await (await conn.execute(row)).fetchall()
    others = {name: url.replace("5", "6") for name, url in defaults.items()}
    numbers = await land(db, PLAYER_PAGE, [page("x", images=others)], at(1))
    assert numbers.changed == 1  # another body
    assert await (await conn.execute(row)).fetchall() == before
    assert await changes(conn) == []
    own = page("x", images={"avatar": OWN, "banner": BANNER})
    await land(db, PLAYER_PAGE, [own], at(2))
    await land(db, PLAYER_PAGE, [page("x", images=defaults)], at(3))
    assert [(fields, old, new) for _, _, fields, old, new in await changes(conn)] == [
        (["avatar_url"], {"avatar_url": None}, {"avatar_url": OWN}),
        (["avatar_url"], {"avatar_url": OWN}, {"avatar_url": None}),
    ]
    moved = page("x", images=defaults, followerCount=1, isFollowed=True, subscriptions=[{"a": 1}])
    assert (await land(db, PLAYER_PAGE, [moved], at(4))).unchanged == 1


async def test_gone_is_who_no_route_that_knew_them_knows_any_more(db: Database, conn: Conn) -> None:
    async def gone() -> datetime | None:
        since: datetime | None = (await creator(conn, "x"))["gone_at"]
        return since

    await land(db, CREATOR, [summary("x")], at(0))
    same = {"displayName": "example-creator", "images": {"avatar": OWN}}
    await land(db, PLAYER_PAGE, [page("x", **same)], at(0))
    kept = await creator(conn, "x")
    await land(db, CREATOR, [Missing("x", "left out")], at(1))
    assert await gone() is None  # a page that is there says more than a list that is short
    await land(db, PLAYER_PAGE, [Missing("x", "404")], at(2))
    assert await gone() == at(2)
    for hour in (3, 4):
        await conn.execute(
            "select fortnite.apply_creator('fortnite.player_page', %s, %s, array['null'::jsonb])",
            [[at(hour)], ["x"]],
        )
    assert await gone() == at(2)
    now = await creator(conn, "x")
    changing = ("bulk_gone_at", "page_gone_at", "gone_at")
    assert {k: v for k, v in now.items() if k not in changing} == {
        k: v for k, v in kept.items() if k not in changing
    }
    await land(db, CREATOR, [summary("x")], at(5))
    assert await gone() is None
    logged = [
        (when, resource, fields, old["gone_at"] is None, new["gone_at"] is None)
        for when, resource, fields, old, new in await changes(conn)
        if "gone_at" in fields
    ]
    assert logged == [
        (at(2), "fortnite.player_page", ["gone_at"], True, False),
        (at(5), "fortnite.creator", ["gone_at"], False, True),
    ]
    # one who never had a page is gone once, with the bulk route
    await land(db, CREATOR, [summary("y")], at(0))
    await land(db, CREATOR, [Missing("y", "left out")], at(1))
    await land(db, PLAYER_PAGE, [Missing("y", "404")], at(2))
    assert (await creator(conn, "y"))["gone_at"] == at(1)
    assert len(await changes(conn)) == 3
    # one who never was there leaves no row
    assert (await land(db, PLAYER_PAGE, [Missing("nobody", "404")], at(6))).missing == 1
    rows = await conn.execute("select from fortnite.creator where account_id = 'nobody'")
    assert rows.rowcount == 0


HOSTILE: list[tuple[bytes, str]] = [
    (b'{"displayName": "a\\u0000b"}', "u0000"),
    (b'{"displayName": "a\\ud83d"}', "surrogate|no valid JSON|escape|unexpected"),
    (b'{"displayName": "a", "followerCount": NaN}', "no valid JSON|unexpected|Invalid"),
    (b'{"displayName": 7}', "displayName"),
    (b'{"displayName": "a", "followerCount": -1}', "followerCount"),
    (b'{"displayName": "a", "followerCount": 2147483648}', "followerCount"),
    (b'{"displayName": "a", "social": {"youtube": ["x"]}}', "social.youtube"),
    (b'{"displayName": "a", "images": "two"}', "images"),
    (b'{"unexpected": [1, null, "shape"]}', "displayName"),
    (b'["neither"]', "object"),
    (b'{"displayName": "' + b"A" * 600 + b'"}', "displayName"),
]


async def test_a_hostile_page_is_set_aside_and_the_others_land(db: Database, conn: Conn) -> None:
    items: list[Item] = [page("b"), page("z")]
    items += [Found(f"h{n:02}", body) for n, (body, _) in enumerate(HOSTILE)]
    numbers = await land(db, PLAYER_PAGE, items, at(0))
    assert (numbers.landed, numbers.rejected) == (2, len(HOSTILE))
    cursor = await conn.execute("select key, reason, body from raw.rejected order by key")
    for (key, reason, kept), (nth, (body, why)) in zip(
        await cursor.fetchall(), enumerate(HOSTILE), strict=True
    ):
        assert (key, kept) == (f"h{nth:02}", body)
        assert any(part in reason for part in why.split("|")), (body, reason)
    cursor = await conn.execute("select account_id from fortnite.creator order by account_id")
    assert await cursor.fetchall() == [("b",), ("z",)]


def _round(chance: random.Random, hour: int) -> list[Item]:
    """Some creators, each a little different from before, some gone."""
    items: list[Item] = []
    for account in chance.sample("abcdefgh", 4):
        name = f"{account} {chance.randrange(3)} 戦い"
        image = chance.choice([AVATAR, OWN, OWN + "2"])
        if chance.random() < 0.2:
            items.append(Missing(account, "404"))
        elif hour % 2:
            items.append(summary(account, displayName=name, images={"avatar": image}))
        else:
            images = {"avatar": image, "banner": chance.choice([BANNER, OWN])}
            social = {"youtube": chance.choice(["@a", "https://youtube.com/@b", ""])}
            items.append(
                page(account, displayName=name, images=images, social=social, bio=f"{hour % 5}")
            )
    return items


ALL = "select * from fortnite.creator order by account_id"
LOG = """
select creator_id, changed_at, resource, fields, old, new, ccu, islands, minutes_played, followers
from fortnite.creator_change order by creator_id, changed_at, resource
"""


async def test_a_replay_gives_the_same_creators_and_changes_with_the_totals_of_their_days(
    db: Database, conn: Conn
) -> None:
    chance = random.Random(5)
    for hour in range(40):
        resource = CREATOR if hour % 2 else PLAYER_PAGE
        await land(db, resource, _round(chance, hour), at(hour))
    await db.execute(
        "select fortnite.store_followers(%s, array['a', 'b', 'c'], array[1, 2, 3])", [at(5)]
    )
    await close_day(db, date(2026, 7, 1))

    async def rows(query: Any) -> list[tuple[Any, ...]]:
        return await (await conn.execute(query)).fetchall()

    creators, log = await rows(ALL), await rows(LOG)
    assert len(creators) == 8
    assert len(log) > 30
    totals = {(when.date(), islands) for _, when, _, _, _, _, _, islands, _, _ in log}
    assert totals == {(date(2026, 7, 1), 0), (date(2026, 7, 2), None)}
    await conn.execute("update fortnite.creator set display_name = 'spoilt', page_gone_at = now()")
    await conn.execute("delete from fortnite.creator_change where change_id % 2 = 0")
    crawl = "select c::text from engine.crawl as c order by key, resource"
    before = await rows(crawl)
    for name in ("fortnite.creator", "fortnite.player_page"):
        await replay(db, feeding(name))
        assert await rows(ALL) == creators
        assert await rows(LOG) == log
    assert await rows(crawl) == before
