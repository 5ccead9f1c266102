"""``etl up``, ``status`` and ``psql`` on running servers."""

import json
from pathlib import Path

import pytest

from etl.settings import Settings
from tests.cli.conftest import Etl
from tests.commands import run_etl, variables
from tests.conftest import server_settings


@pytest.fixture
def env(servers_home: Path, postgres_url: str) -> dict[str, str]:
    """Variables of the session's embedded servers, PostgreSQL running."""
    return variables(server_settings(servers_home))


def test_status_as_json(etl: Etl, env: dict[str, str], postgres_url: str) -> None:
    done = etl("status", "--json", env=env)
    assert (done.status, done.err) == (0, "")
    found = json.loads(done.out)
    assert set(found) == {"postgres", "elasticsearch"}
    for state in found.values():
        assert set(state) == {"url", "running", "version"}
    shown = postgres_url.partition("://postgres:")[2].partition("@")[2]
    assert found["postgres"]["url"] == f"postgresql://postgres@{shown}"
    assert found["postgres"]["running"] is True
    assert int(found["postgres"]["version"].partition(".")[0]) >= 15


def test_status_and_up_as_text(etl: Etl, env: dict[str, str]) -> None:
    for arguments in (["status"], ["up", "postgres"]):
        done = etl(*arguments, env=env)
        assert done.status == 0
        (line,) = (line for line in done.out.splitlines() if line.startswith("postgres"))
        assert " running " in line
        assert "postgresql://postgres@127.0.0.1:" in line


def test_up_as_json_has_nothing_else_on_standard_output(etl: Etl, env: dict[str, str]) -> None:
    done = etl("up", "postgres", "--json", env=env)
    assert json.loads(done.out)["postgres"]["running"] is True


def test_configured_servers_are_told_and_left_alone(etl: Etl, tmp_path: Path) -> None:
    env = {
        "ETL_HOME": str(tmp_path / "home"),
        "ETL_DATABASE_URL": "postgresql://lead:sesame@127.0.0.1:9/x",
        "ETL_ELASTICSEARCH_URL": "http://127.0.0.1:9",
    }
    for command in ("up", "down", "status"):
        done = etl(command, env=env)
        assert done.status == 0
        assert "ETL_DATABASE_URL is set, the embedded server is not used" in done.err
        assert "ETL_ELASTICSEARCH_URL is set, the embedded server is not used" in done.err
        assert "sesame" not in done.out + done.err
    assert json.loads(etl("status", "--json", env=env).out) == {
        "postgres": {"url": "postgresql://lead@127.0.0.1:9/x", "running": False, "version": None},
        "elasticsearch": {"url": "http://127.0.0.1:9", "running": False, "version": None},
    }
    assert not (tmp_path / "home").exists()


def test_psql_opens_the_configured_database_and_passes_arguments_on(settings: Settings) -> None:
    done = run_etl(
        *("psql", "-tA", "--set", "n=41", "-c", "select current_database()", "-c", "select 'a b'"),
        env=variables(settings),
    )
    database = str(settings.database_url and settings.database_url.get_secret_value())
    assert done.stdout == f"{database.rpartition('/')[2]}\na b\n", done.stderr
    failed = run_etl("psql", "-c", "select 1/0", env=variables(settings))
    assert failed.returncode == 1
    assert "division by zero" in failed.stderr


def test_psql_as_a_role(settings: Settings, analyst_password: str) -> None:
    given = {"ETL_ANALYST_PASSWORD": analyst_password, "PGPASSWORD": "wrong"}
    env = variables(settings) | given
    done = run_etl("psql", "--role", "analyst", "-tAc", "select current_user", env=env)
    assert done.stdout == "etl_analyst\n", done.stderr
