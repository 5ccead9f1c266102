"""What was set aside and what was given up, of resources that are declared and of others."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from tests.cli.conftest import Etl


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    return {"ETL_DATABASE_URL": database_url, "COLUMNS": "200"}


@pytest.fixture
def sync_conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


REJECTED = """
insert into raw.rejected (resource, key, fetched_at, reason, body, replayed_at) values
('fortnite.island', 'a', '2026-01-02 03:04:05Z', 'no [bold]title[/]', '123', null),
('fortnite.island', 'b', '2026-01-02', 'mended', null, now()),
('fortnite.ccu', null, '2026-01-01', 'too old', '12', null)
"""


def test_items_set_aside_are_listed(
    etl: Etl, env: dict[str, str], sync_conn: psycopg.Connection
) -> None:
    assert etl("rejected", env=env).out == "Nothing is set aside\n"
    sync_conn.execute(REJECTED)
    shown = etl("rejected", env=env).out
    assert "no [bold]title[/]" in shown
    assert "2026-01-02T03:04:05+00:00" in shown
    assert "too old" in shown
    assert "mended" not in shown
    assert "etl replay fortnite.island --rejected" in shown
    assert "etl replay fortnite.ccu" not in shown

    one = json.loads(etl("rejected", "fortnite.ccu", "--json", env=env).out)
    assert [(row["key"], row["size_bytes"], row["replayed_at"]) for row in one] == [(None, 2, None)]
    every = json.loads(etl("rejected", "--all", "--json", env=env).out)
    assert {row["reason"] for row in every} == {"no [bold]title[/]", "mended", "too old"}
    assert len(json.loads(etl("rejected", "--limit", "1", "--json", env=env).out)) == 1

    none = etl("rejected", "fortnite.typo", env=env)
    assert none.status == 1
    assert "no resource 'fortnite.typo'; there are fortnite.catalogue, fortnite.ccu, " in none.err


def test_what_is_scheduled_without_being_declared_is_listed_and_revived(
    etl: Etl, env: dict[str, str], sync_conn: psycopg.Connection
) -> None:
    sync_conn.execute(
        "insert into engine.crawl (resource, key, state) values ('fortnite.creator_page', 'c', 'dead')"
    )
    (row,) = json.loads(etl("dead", "fortnite.creator_page", "--json", env=env).out)
    assert row["key"] == "c"
    assert etl("revive", "fortnite.creator_page", env=env).out == "1 revived\n"
    done = etl("revive", "fortnite.typo", env=env)
    assert done.status == 1
    assert (
        "there are fortnite.catalogue, fortnite.creator, fortnite.creator_page, fortnite.island, "
        "fortnite.player_page"
    ) in done.err
