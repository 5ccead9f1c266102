"""docker-compose.yml, Dockerfile, .env.example and the lock files say what the code says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.cli.settings import example
from etl.settings import Settings

ROOT = Path(__file__).parents[1]
OPTIONS = {f"ETL_{name.upper()}" for name in Settings.model_fields}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# The owner's password belongs to the compose file alone: it becomes part of ETL_DATABASE_URL.
COMPOSE_ONLY = {"ETL_OWNER_PASSWORD"}
# Of embedded servers; or fixed by what is around: the image, the set-up of the server, the time to end.
NOT_IN_CONTAINERS = {
    "ETL_POSTGRES_BIN",
    "ETL_POSTGRES_FSYNC",
    "ETL_ELASTICSEARCH_HEAP",
    "ETL_ELASTICSEARCH_JAVA_OPTIONS",
    "ETL_HOME",
    "ETL_LOG_FORMAT",
    "ETL_ELASTICSEARCH_API_KEY",
    "ETL_WORKER_GRACE",
}


def test_compose_file_is_valid_against_the_specification() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            ROOT / "docker-compose.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_services_name_only_options_that_exist(service: str) -> None:
    named = {key for key in SERVICES[service].get("environment", {}) if key.startswith("ETL_")}
    assert named <= OPTIONS


def test_every_option_of_the_environment_reaches_a_service() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    lacking = {name for name in OPTIONS if not re.search(rf"\b{name}\b", text)}
    assert {name for name in lacking if "_SIMULATOR_" not in name} == NOT_IN_CONTAINERS


def test_variables_of_the_compose_file_are_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{(\w+)", text))
    assert used <= OPTIONS | COMPOSE_ONLY
    example = (ROOT / ".env.example").read_text()
    assert all(re.search(rf"^#? ?{name}=", example, re.MULTILINE) for name in used)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_limits_and_listens_on_loopback_only(service: str) -> None:
    definition = SERVICES[service]
    assert {"cpus", "memory"} <= set(definition["deploy"]["resources"]["limits"])
    assert all(port.startswith("127.0.0.1:") for port in definition.get("ports", []))
    if service != "migrate":
        assert "healthcheck" in definition


def test_no_secret_stands_in_the_compose_file() -> None:
    for definition in SERVICES.values():
        for key, value in definition.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN_KEY|API_KEY", key):
                assert str(value).startswith("${"), key


def test_the_image_runs_as_an_ordinary_user() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] != "root"


def test_the_example_is_what_the_command_prints() -> None:
    assert (ROOT / ".env.example").read_text() == example()
    assert all(f"# {name}=" in example() for name in OPTIONS)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-runtime.lock"])
def test_locks_pin_with_hashes_and_hold_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    pins = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==\S+", text, re.MULTILINE)
    assert len(pins) > 20
    assert text.count("--hash=sha256:") >= len(pins)
