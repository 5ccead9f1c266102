"""``etl timeseries`` as a user of a plain database sees it."""

import json

import psycopg

from tests.cli.conftest import Etl


def test_status_says_what_would_happen(etl: Etl, database_url: str) -> None:
    env = {"ETL_DATABASE_URL": database_url, "ETL_TIMESERIES": "plain"}
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("select engine.make_room('fortnite.ccu', now())")
        offered = conn.execute(
            "select from pg_available_extensions where name = 'timescaledb'"
        ).rowcount
    found = json.loads(etl("timeseries", "status", "--json", env=env).out)
    assert (found["foundation"], found["begun"]) == ("plain", False)
    assert "fortnite.ccu" in [one["relation"] for one in found["held"]]
    said = etl("timeseries", "status", env=env).out
    assert "On plain PostgreSQL" in said
    if not offered:
        assert "and it stays there: the server does not offer the extension timescaledb" in said


def test_a_move_that_cannot_be_is_refused_in_a_sentence(etl: Etl, database_url: str) -> None:
    env = {"ETL_DATABASE_URL": database_url, "ETL_TIMESERIES": "plain"}
    done = etl("timeseries", "migrate", env=env)
    assert (done.status, done.out) == (1, "")
    assert done.err == "etl: ETL_TIMESERIES is plain: set it to auto or timescale first\n"
    assert etl("timeseries", "cancel", env=env).out == "no move was begun\n"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("delete from engine.sql_object where path = 'ops/job.sql'")
    done = etl("timeseries", "migrate", env=env | {"ETL_TIMESERIES": "auto"})
    assert "not as this code has it: run `etl migrate` first" in done.err
