"""What the embedded PostgreSQL refuses to do, and what it says then."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from etl import embedded
from etl.embedded import ServerFailed
from etl.settings import Settings
from tests.embedded.postmaster import POSTGRES


def test_data_of_another_major_version_is_not_touched(fresh_home: Settings) -> None:
    data = fresh_home.home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(ServerFailed, match=r"made by PostgreSQL 12 and .* set ETL_POSTGRES_BIN"):
        embedded.up(fresh_home, POSTGRES)
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_server_that_cannot_start_says_why(running: Settings) -> None:
    embedded.down(running, POSTGRES)
    conf = running.home / "postgres" / "data" / "postgresql.auto.conf"
    before = conf.read_bytes()
    conf.write_text("shared_buffers = 'plenty'\n")
    try:
        with pytest.raises(ServerFailed, match="shared_buffers"):
            embedded.up(running, POSTGRES)
    finally:
        conf.write_bytes(before)


def test_a_configured_server_is_used_and_the_embedded_one_left_alone(fresh_home: Settings) -> None:
    url = "postgresql://somebody:sesame@db.example:5433/warehouse"
    settings = fresh_home.model_copy(update={"database_url": SecretStr(url)})
    fresh_home.home.rmdir()
    try:
        embedded.up(settings, POSTGRES)
        assert embedded.down(settings, POSTGRES) == ()
        assert embedded.database_url(settings) == url
        assert not settings.home.exists()
    finally:
        fresh_home.home.mkdir(exist_ok=True)


def test_no_build_no_old_build_no_broken_build(fresh_home: Settings, tmp_path: Path) -> None:
    settings = fresh_home.model_copy(update={"postgres_bin": tmp_path})
    with pytest.raises(ServerFailed, match=f"no initdb in {tmp_path}: set ETL_POSTGRES_BIN"):
        embedded.up(settings, POSTGRES)
    (tmp_path / "initdb").touch()
    program = tmp_path / "postgres"
    program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.11'\n")
    program.chmod(0o755)
    with pytest.raises(ServerFailed, match="is PostgreSQL 14 and the oldest supported is 15"):
        embedded.up(settings, POSTGRES)
    program.write_text("#!/bin/sh\necho 'libpq.so.5 is missing'\nexit 127\n")
    with pytest.raises(ServerFailed, match=r"does not run here: libpq\.so\.5 is missing"):
        embedded.up(settings, POSTGRES)


def test_a_replaced_password_file_is_told(running: Settings) -> None:
    file = running.home / "passwords.json"
    before = file.read_bytes()
    file.unlink()
    try:
        with pytest.raises(ServerFailed, match=r"does not let its owner in: (.|\n)*passwords.json"):
            embedded.up(running, POSTGRES)
        file.write_text("{")
        with pytest.raises(
            ServerFailed, match=r"passwords\.json is damaged: restore it, or delete"
        ):
            embedded.up(running, POSTGRES)
    finally:
        file.write_bytes(before)
