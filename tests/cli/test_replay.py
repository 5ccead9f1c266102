"""``etl replay``, ``etl dead`` and ``etl revive`` on a real database."""

import asyncio
import json

import orjson
import psycopg
import pytest

from etl.engine.crawl import claim, fail
from etl.engine.database import open_database
from etl.engine.items import Found, Item
from etl.engine.resource import land
from etl.fortnite.resources import CATALOGUE, ISLAND
from etl.settings import Settings
from tests.cli.conftest import Etl
from tests.engine.support import at


def _listed(code: str, title: object) -> Found:
    return Found(code, orjson.dumps({"code": code, "title": title}))


def _land(url: str, *pages: list[Item]) -> None:
    async def work() -> None:
        async with open_database(url, size=2) as db:
            for hour, page in enumerate(pages):
                await land(db, CATALOGUE, page, at(hour))

    asyncio.run(work())


def _give_up(url: str) -> None:
    """Let every island that is due fail once too often."""

    async def work() -> None:
        async with open_database(url, size=2) as db:
            lease = await claim(db, ISLAND, 100, Settings())
            assert lease is not None
            reasons = dict.fromkeys(lease.claims, "no [bold]luck[/]")
            await fail(db, ISLAND, lease, reasons, attempts=1)

    asyncio.run(work())


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    return {"ETL_DATABASE_URL": database_url}


def test_replay_rebuilds_and_says_what_it_did(
    etl: Etl, env: dict[str, str], database_url: str
) -> None:
    _land(database_url, [_listed("a", "one"), _listed("b", "b")], [_listed("a", "two")])
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("update fortnite.island set title = 'spoilt'")
        for arguments in (["fortnite.catalogue"], ["fortnite.island", "--resume"]):
            done = etl("replay", *arguments, env=env)
            assert (done.status, done.out) == (0, "2 entities, 3 versions, 0 refused\n")
        titles = conn.execute("select title from fortnite.island order by code").fetchall()
    assert titles == [("two",), ("b",)]


def test_replay_lands_what_was_set_aside(etl: Etl, env: dict[str, str], database_url: str) -> None:
    _land(database_url, [_listed("a", "one"), _listed("b", 5)])
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("update raw.rejected set body = %s", [_listed("b", "five").body])
        done = etl("replay", "fortnite.catalogue", "--rejected", "--json", env=env)
        assert json.loads(done.out)["landed"] == 1
        found = conn.execute("select title from fortnite.island where code = 'b'").fetchall()
    assert found == [("five",)]


def test_a_resource_that_is_none_is_refused_by_name(etl: Etl, env: dict[str, str]) -> None:
    for arguments in (["replay", "x"], ["dead", "x"], ["revive", "x"]):
        done = etl(*arguments, env=env)
        assert done.status == 1
        assert (
            "no resource 'x'; there are fortnite.catalogue, fortnite.creator, fortnite.island, "
            "fortnite.player_page"
        ) in done.err


def test_a_limit_below_one_is_refused(etl: Etl, env: dict[str, str]) -> None:
    for command in ("dead", "rejected"):
        for limit in ("0", "-1"):
            done = etl(command, "--limit", limit, env=env)
            assert (done.status, done.out) == (2, "")
            assert "'--limit'" in done.err


def test_dead_entities_are_listed_and_revived(
    etl: Etl, env: dict[str, str], database_url: str
) -> None:
    assert etl("dead", env=env).out == "Nothing was given up\n"
    assert etl("revive", "fortnite.island", env=env).out == "0 revived\n"
    _land(database_url, [_listed(code, "x") for code in "abc"])
    _give_up(database_url)
    listed = json.loads(etl("dead", "fortnite.island", "--json", env=env).out)
    assert [(row["key"], row["attempts"]) for row in listed] == [("a", 1), ("b", 1), ("c", 1)]
    assert "no [bold]luck[/]" in etl("dead", "--limit", "1", env=env).out
    assert etl("revive", "fortnite.island", "b", env=env).out == "1 revived\n"
    assert etl("revive", "fortnite.island", env=env).out == "2 revived\n"
    assert json.loads(etl("dead", "--json", env=env).out) == []
