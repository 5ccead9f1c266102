"""The embedded PostgreSQL, started, killed, raced for and looked into."""

import contextlib
import json
import os
import pwd
import socket
import subprocess
from threading import Event

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from etl import embedded
from etl.embedded import NotRunning
from etl.embedded.postgres_conf import ENVIRONMENT
from etl.settings import Settings
from tests.commands import ETL, environment, run_etl, variables
from tests.embedded.postmaster import POSTGRES, kill, one, port, postmaster


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


def test_it_is_told_to_keep_the_memory_of_a_batch(running: Settings) -> None:
    # of the server itself: a backend writes its title over what it was given
    assert postmaster(running).environ().items() >= ENVIRONMENT.items()


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


def test_psql_as_owner_through_the_command(running: Settings) -> None:
    done = run_etl("psql", "-tA", "-c", "select 1 + 1", env=variables(running))
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr


def _remembered(settings: Settings) -> int:
    state = json.loads((settings.home / "postgres" / "state.json").read_bytes())
    return int(state["port"])
