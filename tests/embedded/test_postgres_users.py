"""Whom the embedded PostgreSQL runs as."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl.settings import Settings
from tests.commands import ETL, environment, variables
from tests.conftest import HOMES, server_settings
from tests.embedded.postmaster import postmaster


def test_as_root_it_runs_as_the_system_user_and_else_as_oneself(running: Settings) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    it = "headrace" if me == "root" else me
    assert postmaster(running).username() == it
    assert (running.home / "postgres" / "data").owner() == it
    for private in ("passwords.json", "pgpass"):
        assert (running.home / private).owner() == me


As = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def users_home(ordinary_user: pwd.struct_passwd) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="headrace-user-", dir=HOMES))
    if os.geteuid() == 0:
        os.chown(home, ordinary_user.pw_uid, ordinary_user.pw_gid)
    yield home
    shutil.rmtree(home)


@pytest.fixture
def as_user(ordinary_user: pwd.struct_passwd, users_home: Path) -> As:
    """Runs ``etl ARGUMENTS`` as the ordinary user, with a home of theirs or another."""

    def run(*arguments: str, home: Path = users_home) -> subprocess.CompletedProcess[str]:
        root = os.geteuid() == 0
        return subprocess.run(
            [ETL, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=environment(variables(server_settings(home)) | {"HOME": str(users_home)}),
            user=ordinary_user.pw_uid if root else None,
            group=ordinary_user.pw_gid if root else None,
            extra_groups=[] if root else None,
        )

    return run


def test_an_ordinary_users_server_runs_as_that_user(
    ordinary_user: pwd.struct_passwd, users_home: Path, as_user: As
) -> None:
    try:
        done = as_user("up", "postgres", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["postgres"]["running"] is True
        assert postmaster(Settings(home=users_home)).uids().real == ordinary_user.pw_uid
        who = as_user("psql", "-tAc", "select current_user")
        assert who.stdout == "postgres\n", who.stderr
    finally:
        assert as_user("down", "postgres").returncode == 0


def test_a_home_that_cannot_be_used_is_told(tmp_path: Path, as_user: As) -> None:
    tmp_path.chmod(0)
    done = as_user("up", "postgres", home=tmp_path)
    assert done.returncode == 1
    assert "run as that user, or set ETL_HOME" in done.stderr
    assert "Traceback" not in done.stderr
