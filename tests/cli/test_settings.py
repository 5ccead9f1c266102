"""``etl settings`` and what a bad value says."""

import json
import re
from pathlib import Path

from etl.settings import Settings
from tests.cli.conftest import Etl
from tests.commands import run_etl


def test_every_option_with_its_value_its_source_and_its_meaning(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("etl_web_port=8181\nETL_LOG_LEVEL=debug\nETL_WEB_HOST=\n")
    env = {"ETL_LOG_LEVEL": "error", "ETL_SIMULATOR_LIMITS": '{"links": 600}'}
    env["ETL_FORTNITE_REGIONS"] = "EU, ASIA"
    done = run_etl("settings", "--json", env=env, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    options = json.loads(done.stdout)
    assert list(options) == [f"ETL_{field.upper()}" for field in Settings.model_fields]
    assert all(option["meaning"] for option in options.values())
    found = {name: (option["value"], option["source"]) for name, option in options.items()}
    assert found["ETL_WEB_PORT"] == (8181, ".env")
    assert found["ETL_LOG_LEVEL"] == ("error", "environment")
    assert found["ETL_SIMULATOR_LIMITS"] == ({"links": 600.0}, "environment")
    assert found["ETL_WEB_HOST"] == ("127.0.0.1", "default")
    assert found["ETL_DATABASE_URL"] == (None, "default")
    assert found["ETL_FORTNITE_REGIONS"] == (["EU", "ASIA"], "environment")


def test_secrets_are_masked_however_they_are_shown(etl: Etl) -> None:
    secrets = {
        field: f"postgresql://lead:sesame-{field}@db/x"
        if field == "database_url"
        else f"sesame-{field}"
        for field, about in Settings.model_fields.items()
        if "SecretStr" in str(about.annotation)
    }
    secrets["elasticsearch_url"] = "http://lead:sesame@es:9200"
    env = {f"ETL_{field.upper()}": value for field, value in secrets.items()}
    assert len(env) > 10
    for arguments in (["settings"], ["settings", "--json"]):
        done = etl(*arguments, env=env)
        assert done.status == 0
        assert "sesame" not in done.out + done.err
        assert done.out.count("********") >= len(env)


def test_the_table_has_every_option_at_any_width(etl: Etl) -> None:
    for width in ("60", "200"):
        done = etl("settings", env={"COLUMNS": width, "ETL_WEB_PORT": "8181"})
        for field in Settings.model_fields:
            assert re.search(rf"\bETL_{field.upper()}\b", done.out)
        assert "8181" in done.out


def test_every_bad_value_is_named_with_what_is_allowed_and_no_traceback(etl: Etl) -> None:
    env = {
        "ETL_WEB_PORT": "70000",
        "ETL_LOG_LEVEL": "loud",
        "ETL_DATABASE_URL": "mysql://root:sesame@db/x",
        "ETL_SIMULATOR_LIMITS": "links=600",
        "ETL_ELASTICSEARCH_HEAP": "lots",
        "ETL_FORTNITE_REGIONS": "EU,N/A",
    }
    for arguments in (["settings"], ["settings", "--json"], ["status"]):
        done = etl(*arguments, env=env)
        assert (done.status, done.out) == (2, "")
        assert "Traceback" not in done.err
        assert "sesame" not in done.err
        said = dict(line.removeprefix("etl: ").split(": ", 1) for line in done.err.splitlines())
        assert set(said) == set(env)
        assert said["ETL_WEB_PORT"].startswith("Input should be less than or equal to 65535.")
        assert "'debug', 'info', 'warning' or 'error'" in said["ETL_LOG_LEVEL"]
        assert "postgresql" in said["ETL_DATABASE_URL"]
        assert said["ETL_SIMULATOR_LIMITS"].startswith("is no JSON: ")


def test_a_file_that_is_not_utf8_is_named_with_the_line(tmp_path: Path) -> None:
    lines = ["# plain"] * 2_000 + ["ETL_WEB_HOST=größe", "ETL_WEB_PORT=8181"]
    (tmp_path / ".env").write_bytes("\n".join(lines).encode("latin-1"))
    for arguments in (["settings"], ["status"], ["worker"]):
        done = run_etl(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "etl: .env is not UTF-8 at line 2001: save it as UTF-8.\n"
    (check,) = json.loads(run_etl("doctor", "--json", cwd=tmp_path).stdout)["checks"]
    assert (check["check"], check["outcome"]) == ("settings", "failed")


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ETL_WEB_PORT=8181\n", encoding="utf-8-sig")
    options = json.loads(run_etl("settings", "--json", cwd=tmp_path).stdout)
    assert (options["ETL_WEB_PORT"]["value"], options["ETL_WEB_PORT"]["source"]) == (8181, ".env")


def test_a_home_is_absolute_wherever_the_command_runs(etl: Etl, tmp_path: Path) -> None:
    env = {"ETL_HOME": "here", "ETL_POSTGRES_BIN": "~/bin", "HOME": "/home/somebody"}
    options = json.loads(etl("settings", "--json", env=env).out)
    assert options["ETL_HOME"]["value"] == str(tmp_path / "here")
    assert options["ETL_POSTGRES_BIN"]["value"] == "/home/somebody/bin"
