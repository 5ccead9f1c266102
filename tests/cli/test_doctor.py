"""``etl doctor``: what is well, what is not, and what to do."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import psycopg
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from etl import embedded
from etl.doctor import Finding, findings
from etl.embedded import servers
from etl.settings import Settings
from tests.cli.conftest import Etl
from tests.commands import run_etl, variables

# Nobody listens there, and no test asks the real services.
NOBODY = {
    "fortnite_data_url": "http://127.0.0.1:9/",
    "fortnite_links_url": "http://127.0.0.1:9/",
    "fortnite_discovery_url": "http://127.0.0.1:9/",
    "fortnite_account_url": "http://127.0.0.1:9/",
}


@pytest.fixture
def found(settings: Settings, elasticsearch_url: str) -> Settings:
    return with_options(settings, {})


def with_options(settings: Settings, options: Mapping[str, object]) -> Settings:
    set_before: dict[str, object] = {
        field: getattr(settings, field) for field in settings.model_fields_set
    }
    return Settings.model_validate({**set_before, **NOBODY, **options})


def look(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings(settings)}


def test_a_set_up_that_is_well(found: Settings, etl: Etl) -> None:
    checks = look(found)
    assert {name: it.outcome for name, it in checks.items()} == {
        "settings": "ok",
        "PostgreSQL": "ok",
        "clock": "ok",
        "migrations": "ok",
        "time series": "ok",
        "Elasticsearch": "ok",
        "Fortnite Data API": "warning",
        "Fortnite credentials": "ok",
        "Fortnite sources": "ok",
    }
    assert checks["Fortnite sources"].says.startswith("read: catalogue, metrics; links is off: it")
    done = etl("doctor", "--json", env=variables(found))
    assert done.status == 0, done.out
    said = json.loads(done.out)
    assert said["ok"] is True
    assert {check["check"] for check in said["checks"]} == set(checks)
    text = etl("doctor", env=variables(found))
    assert text.status == 0
    assert "! Fortnite Data API: http://127.0.0.1:9/ does not answer" in text.out


def test_servers_that_are_away(tmp_path: Path, postgres_url: str) -> None:
    checks = look(with_options(Settings(home=tmp_path), {}))
    assert checks["home"].outcome == "ok"
    assert "GB free" in checks["home"].says
    assert checks["embedded PostgreSQL"].outcome == "ok"
    assert checks["Java"].outcome == "ok"
    for server in ("PostgreSQL", "Elasticsearch"):
        assert checks[server].outcome == "failed"
        assert checks[server].advice == "Start it: `etl up`."
    away = {
        "database_url": "postgresql://lead:sesame@127.0.0.1:9/x",
        "elasticsearch_url": "http://lead:sesame@127.0.0.1:9",
    }
    checks = look(with_options(Settings(home=tmp_path), away))
    assert "home" not in checks
    assert checks["PostgreSQL"].advice == "See ETL_DATABASE_URL."
    assert checks["Elasticsearch"].advice == "See ETL_ELASTICSEARCH_URL."
    assert "sesame" not in str(checks)


def test_what_is_no_elasticsearch(found: Settings, database_url: str) -> None:
    url = f"http://{database_url.rpartition('@')[2].partition('/')[0]}"
    checks = look(with_options(found, {"elasticsearch_url": url}))
    assert checks["Elasticsearch"].outcome == "failed"


def test_a_database_that_was_not_migrated(found: Settings, postgres_url: str, etl: Etl) -> None:
    checks = look(with_options(found, {"database_url": postgres_url}))
    assert checks["migrations"] == Finding(
        "migrations", "failed", "the database is empty", "Run `etl migrate`."
    )
    assert etl("doctor", env=variables(found) | {"ETL_DATABASE_URL": postgres_url}).status


def test_a_file_of_sql_that_was_not_applied(found: Settings, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        gone = conn.execute(
            "delete from engine.sql_object where path = (select min(path) from engine.sql_object) "
            "returning path"
        ).fetchone()
    assert gone is not None
    said = look(found)["migrations"]
    assert (said.outcome, said.advice) == ("failed", "Run `etl migrate`.")
    assert f"sql/{gone[0]}" in said.says


def test_timescale_that_is_asked_for_and_not_there(found: Settings, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as conn:
        offered = conn.execute(
            "select from pg_available_extensions where name = 'timescaledb'"
        ).rowcount
    checks = look(with_options(found, {"database_url": postgres_url, "timeseries": "timescale"}))
    assert checks["time series"].outcome == ("ok" if offered else "failed")
    checks = look(with_options(found, {"database_url": postgres_url, "timeseries": "plain"}))
    assert checks["time series"].says == "on plain PostgreSQL"


def test_credentials_and_their_key(found: Settings) -> None:
    client = {"fortnite_client_id": "id", "fortnite_client_secret": "sesame"}
    key = Fernet.generate_key().decode()

    def said(**options: str) -> Finding:
        return look(with_options(found, dict(options)))["Fortnite credentials"]

    half = said(fortnite_client_id="id")
    assert half.says == "ETL_FORTNITE_CLIENT_ID also need ETL_FORTNITE_CLIENT_SECRET: set them"
    missing = said(**client, fortnite_device_id="d")
    assert missing.outcome == "failed"
    assert "need ETL_FORTNITE_ACCOUNT_ID and ETL_FORTNITE_DEVICE_SECRET" in missing.says
    assert said(**client, fortnite_account_id="me", token_key=key).outcome == "ok"
    assert said(fortnite_account_id="me").says.startswith("none")
    assert "Fernet.generate_key" in said(**client).advice
    assert said(**client, token_key="short").says == "ETL_TOKEN_KEY is no Fernet key"
    assert said(**client, token_key=key).outcome == "ok"
    checks = look(
        with_options(found, client | {"token_key": key, "fortnite_sources": "links, metrics"})
    )
    left_out = "is off: ETL_FORTNITE_SOURCES leaves it out"
    assert checks["Fortnite sources"].says == (
        f"read: metrics, links; catalogue {left_out}; ccu {left_out}; discovery {left_out}; "
        f"creators {left_out}"
    )
    for service in ("account", "Links", "Discovery", "pops"):
        assert checks[f"Fortnite {service} service"].outcome == "warning"
    assert "sesame" not in str(checks)


class Slow(datetime):
    """The clock of a machine that is a minute slow."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) - timedelta(minutes=1)


def test_a_clock_that_is_wrong(found: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["etl.doctor.database"], "datetime", Slow)
    said = look(found)["clock"]
    assert said.outcome == "failed"
    assert said.says.endswith("s ahead of this machine")
    assert "samples and leases go by PostgreSQL's" in said.advice


def test_the_disk_of_an_embedded_database_is_looked_at_where_it_is_another(tmp_path: Path) -> None:
    name = "disk of the database"
    assert name not in look(with_options(Settings(home=tmp_path), {}))
    with TemporaryDirectory(dir="/dev/shm") as other:
        data = servers.server("postgres", Settings(home=tmp_path)).folder
        data.parent.mkdir(parents=True, exist_ok=True)
        data.symlink_to(other)
        assert "GB free" in look(with_options(Settings(home=tmp_path), {}))[name].says


def test_bad_settings_are_a_finding(etl: Etl) -> None:
    done = etl("doctor", "--json", env={"ETL_WEB_PORT": "x"})
    assert done.status == 1
    (check,) = json.loads(done.out)["checks"]
    assert check["outcome"] == "failed"
    assert check["says"].startswith("ETL_WEB_PORT: Input should be a valid integer")


def test_names_that_are_no_option_are_told_with_the_nearest_that_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("etl_web_prot=8181\nETL_OWNER_PASSWORD=sesame\nETL_QQQ=\n")
    env = {
        "ETL_CCU_RETENTION_DAY": "sesame",
        "ETL_XYZZY": "1",
        "ETL_TEST_DATA": "x",
        "ETL_HOME": str(tmp_path),
        "ETL_DATABASE_URL": "postgresql://127.0.0.1:9/x",
        "ETL_ELASTICSEARCH_URL": "http://127.0.0.1:9",
        "ETL_FORTNITE_DATA_URL": "http://127.0.0.1:9/",
    }
    done = run_etl("doctor", "--json", env=env, cwd=tmp_path)
    said = {
        it["check"]: it for it in json.loads(done.stdout)["checks"] if it["check"][:4] == "ETL_"
    }
    assert list(said) == ["ETL_WEB_PROT", "ETL_CCU_RETENTION_DAY", "ETL_XYZZY"]
    assert {it["outcome"] for it in said.values()} == {"warning"}
    assert "set in .env, but is no option" in said["ETL_WEB_PROT"]["says"]
    assert "Is ETL_WEB_PORT meant?" in said["ETL_WEB_PROT"]["advice"]
    assert "set in the environment" in said["ETL_CCU_RETENTION_DAY"]["says"]
    assert "Is ETL_CCU_RETENTION_DAYS meant?" in said["ETL_CCU_RETENTION_DAY"]["advice"]
    assert "meant" not in said["ETL_XYZZY"]["advice"]
    assert "sesame" not in done.stdout


def test_a_password_that_is_wrong_is_not_told(found: Settings, database_url: str) -> None:
    user, _, rest = database_url.partition("@")
    wrong = f"{user.rpartition(':')[0]}:sesame@{rest}"
    said = look(with_options(found, {"database_url": SecretStr(wrong)}))["PostgreSQL"]
    assert "password authentication failed" in said.says
    assert "sesame" not in str(said)
    assert embedded.database_url(found) == database_url
