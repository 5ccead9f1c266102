"""The embedded PostgreSQL, started, killed, raced for and looked into."""

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from etl import embedded
from etl.embedded import NotRunning, ServerFailed
from etl.embedded.servers import Name
from etl.settings import Settings
from tests.commands import ETL, environment, run_etl, variables
from tests.conftest import server_settings

POSTGRES: tuple[Name, ...] = ("postgres",)


@pytest.fixture
def running(own_home: Settings) -> Settings:
    """A home whose server runs, whatever the test before did to it."""
    embedded.up(own_home, POSTGRES)
    return own_home


def postmaster(settings: Settings) -> psutil.Process:
    lines = (settings.home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    return psutil.Process(int(lines[0]))


def port(settings: Settings) -> int:
    return int(str(conninfo_to_dict(embedded.database_url(settings))["port"]))


def one(settings: Settings, query: str) -> object:
    with psycopg.connect(embedded.database_url(settings), autocommit=True) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def kill(settings: Settings) -> None:
    process = postmaster(settings)
    process.kill()
    psutil.wait_procs([process], timeout=10)


def test_cluster_is_checksummed_unicode_utc_and_asks_for_a_password(running: Settings) -> None:
    assert one(running, "show data_checksums") == "on"
    assert one(running, "show timezone") == "UTC"
    assert one(running, "select lower('ÉÀŻ') || upper('жя')") == "éàżЖЯ"
    assert (
        one(running, "select string_agg(c, '' order by c) from unnest('{b,B,a,é}'::text[]) c")
        == "Babé"
    )
    assert one(running, "select distinct auth_method from pg_hba_file_rules") == "scram-sha-256"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port(running), user="postgres", password="wrong")


def test_it_listens_on_the_loopback_alone(running: Settings) -> None:
    listening = [c for c in postmaster(running).net_connections("all") if c.status == "LISTEN"]
    assert [c.laddr for c in listening] == [("127.0.0.1", port(running))]
    assert one(running, "show unix_socket_directories") == ""


def test_password_is_in_no_log_and_on_no_command_line(running: Settings) -> None:
    password = str(conninfo_to_dict(embedded.database_url(running))["password"])
    assert len(password) > 20
    for path in (running.home / "postgres").rglob("*.log"):
        assert password not in path.read_text()
    with_password = {
        path.relative_to(running.home).as_posix()
        for path in running.home.rglob("*")
        if path.is_file() and password.encode() in path.read_bytes()
    }
    assert with_password == {"passwords.json", "pgpass"}
    for name in with_password:
        assert (running.home / name).stat().st_mode & 0o077 == 0


def test_log_goes_to_the_home(running: Settings) -> None:
    marker = "a line that only the log can have"
    with psycopg.connect(embedded.database_url(running), autocommit=True) as conn:
        conn.execute(f"do $$ begin raise log '{marker}'; end $$".encode())
    clock = Event()
    for _ in range(100):
        logs = (running.home / "postgres" / "log").glob("*.log")
        if any(marker in log.read_text() for log in logs):
            return
        clock.wait(0.1)
    pytest.fail("the line did not come into any log in ten seconds")


def test_another_up_leaves_a_running_server_alone(running: Settings) -> None:
    before = postmaster(running)
    embedded.up(running, POSTGRES)
    assert postmaster(running) == before


def test_a_killed_server_is_found_and_started_again_with_its_data(running: Settings) -> None:
    before = port(running)
    with psycopg.connect(embedded.database_url(running)) as conn:
        conn.execute("create table if not exists kept as select 1 as n")
    kill(running)
    with pytest.raises(NotRunning, match="PostgreSQL is not running: run `etl up`"):
        embedded.database_url(running)
    assert embedded.status(running)["postgres"]["running"] is False
    embedded.up(running, POSTGRES)
    assert one(running, "select n from kept") == 1
    assert port(running) == before


def test_a_backend_that_outlives_its_killed_server_is_ended_first(running: Settings) -> None:
    # A busy backend looks for its postmaster only when it waits for something.
    busy = subprocess.Popen(
        [ETL, "psql", "-c", "do $$ begin for i in 1..2000000000 loop end loop; end $$"],
        env=environment(variables(running)),
        stderr=subprocess.DEVNULL,
    )
    try:
        with psycopg.connect(embedded.database_url(running), autocommit=True) as conn:
            query = (
                "select pid from pg_stat_activity where query like 'do $$%' and state = 'active'"
            )
            while (row := conn.execute(query).fetchone()) is None:
                pass
        backend = psutil.Process(row[0])
        kill(running)
        assert backend.is_running()
        embedded.up(running, POSTGRES)
        assert not backend.is_running()
        assert one(running, "select 1") == 1
    finally:
        busy.wait(30)


def test_a_pid_that_somebody_else_has_now_is_no_server(running: Settings) -> None:
    user = pwd.getpwuid(postmaster(running).uids().real).pw_name if os.geteuid() == 0 else None
    kill(running)
    # PostgreSQL itself would refuse: a process of its own user has the pid it finds in its file.
    with subprocess.Popen(["sleep", "100"], user=user) as somebody:
        try:
            file = running.home / "postgres" / "data" / "postmaster.pid"
            lines = file.read_text().splitlines(keepends=True)
            file.write_text("".join([f"{somebody.pid}\n", *lines[1:]]))
            with pytest.raises(NotRunning):
                embedded.database_url(running)
            embedded.down(running, POSTGRES)
            assert somebody.poll() is None
            embedded.up(running, POSTGRES)
            assert one(running, "select 1") == 1
            assert somebody.poll() is None
        finally:
            somebody.terminate()


def test_a_port_that_is_taken_is_chosen_anew_and_remembered(running: Settings) -> None:
    before = port(running)
    embedded.down(running, POSTGRES)
    with contextlib.closing(socket.create_server(("127.0.0.1", before))):
        embedded.up(running, POSTGRES)
        after = port(running)
        assert after != before
        assert one(running, "select 1") == 1
        assert f"127.0.0.1:{after}:" in (running.home / "pgpass").read_text()
    embedded.down(running, POSTGRES)
    embedded.up(running, POSTGRES)
    assert port(running) == after


def test_down_stops_it_and_says_so(running: Settings) -> None:
    process = postmaster(running)
    assert embedded.down(running, POSTGRES) == ("postgres",)
    assert not process.is_running()
    assert embedded.down(running, POSTGRES) == ()
    state = embedded.status(running)["postgres"]
    assert state["running"] is False
    assert state["url"] == f"postgresql://postgres@127.0.0.1:{_remembered(running)}/headrace"


def test_two_ups_at_once_end_with_one_server_that_outlives_them(fresh_home: Settings) -> None:
    # A cluster whose making was cut short is made again.
    unfinished = fresh_home.home / "postgres" / "unfinished"
    (unfinished / "base").mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    starts = [
        subprocess.Popen(
            [ETL, "up", "postgres", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(variables(fresh_home)),
            start_new_session=True,
        )
        for _ in range(2)
    ]
    said = [json.loads(start.communicate(timeout=60)[0]) for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert said[0]["postgres"] == said[1]["postgres"]
    assert said[0]["postgres"]["running"] is True
    assert not unfinished.exists()
    mark = str(fresh_home.home / "postgres" / "data")
    servers = [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]
    assert servers == [postmaster(fresh_home)]
    # A Ctrl-C goes to the session of whoever starts it.
    assert os.getsid(servers[0].pid) not in {os.getsid(0), *(start.pid for start in starts)}
    assert one(fresh_home, "select current_database()") == "headrace"


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
    home = Path(tempfile.mkdtemp(prefix="headrace-user-"))
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


def test_psql_as_owner_through_the_command(running: Settings) -> None:
    done = run_etl("psql", "-tA", "-c", "select 1 + 1", env=variables(running))
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr


def _remembered(settings: Settings) -> int:
    state = json.loads((settings.home / "postgres" / "state.json").read_bytes())
    return int(state["port"])
