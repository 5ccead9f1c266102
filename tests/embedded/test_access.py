"""What the rest asks the servers for: addresses, passwords, a psql line."""

import shlex
import subprocess
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from etl import embedded
from etl.embedded import NotRunning
from etl.embedded.psql import psql_call
from etl.embedded.state import public_url
from etl.settings import Settings
from tests.conftest import server_settings

CONFIGURED = Settings(
    database_url=SecretStr("postgresql://lead:se%40same@db.example:5433/dw?sslmode=require"),
    analyst_password=SecretStr("olives"),
)


def test_a_server_that_never_ran_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(NotRunning) as error:
        embedded.database_url(settings)
    assert str(error.value) == ("PostgreSQL is not running: run `etl up`, or set ETL_DATABASE_URL")
    with pytest.raises(NotRunning) as error:
        embedded.elasticsearch_url(settings)
    assert str(error.value) == (
        "Elasticsearch is not running: run `etl up`, or set ETL_ELASTICSEARCH_URL"
    )
    assert embedded.status(settings) == {
        "postgres": {"url": None, "running": False, "version": None},
        "elasticsearch": {"url": None, "running": False, "version": None},
    }
    assert list(tmp_path.iterdir()) == []


def test_role_passwords_are_made_once_for_their_user_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    made = embedded.role_passwords(settings)
    assert set(made) == {"etl_worker", "etl_analyst", "etl_operator"}
    assert len({password.get_secret_value() for password in made.values()}) == 3
    assert embedded.role_passwords(settings) == made
    assert (tmp_path / "passwords.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("analyst_password")
def test_the_psql_line_opens_without_asking(servers_home: Path, postgres_url: str) -> None:
    settings = server_settings(servers_home)
    password = embedded.role_passwords(settings)["etl_analyst"].get_secret_value()
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(f"alter role etl_analyst password '{password}'".encode())
    line = embedded.psql_line(settings, "analyst")
    assert password not in line
    assert shlex.split(line)[0].startswith("PGPASSFILE=")
    done = subprocess.run(
        f"{line} -w -tA -c 'select current_user, current_database()'",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "etl_analyst|headrace\n", done.stderr


def test_a_configured_database_is_opened_with_its_password_in_the_environment_alone() -> None:
    command, env = psql_call(CONFIGURED, "owner", ["-c", "select 1"])
    assert command[1] == "--dbname=user=lead dbname=dw host=db.example port=5433 sslmode=require"
    assert command[2:] == ["-c", "select 1"]
    assert env["PGPASSWORD"] == "se@same"
    command, env = psql_call(CONFIGURED, "analyst", [])
    assert "user=etl_analyst" in command[1]
    assert env["PGPASSWORD"] == "olives"
    _, env = psql_call(CONFIGURED, "worker", [])
    assert "PGPASSWORD" not in env
    assert embedded.psql_line(CONFIGURED, "operator") == (
        "psql 'user=etl_operator dbname=dw host=db.example port=5433 sslmode=require'"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:1/db", "postgresql://u@h:1/db"),
        ("postgresql://u:p@h1:1,h2:2/db", "postgresql://u@h1:1,h2:2/db"),
        ("postgresql://h/db?password=p&sslmode=require", "postgresql://h/db?sslmode=require"),
        ("https://u:p@h:9200", "https://u@h:9200"),
        ("http://h:9200/path", "http://h:9200/path"),
    ],
)
def test_a_shown_url_has_no_password(url: str, shown: str) -> None:
    assert public_url(url) == shown
