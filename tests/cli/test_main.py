"""The command as a whole: help, versions, mistakes, interruptions."""

import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
import typer

from etl.cli import main
from etl.cli.run import run_async
from etl.errors import PlainError
from tests.cli.conftest import Etl
from tests.commands import ETL, environment

AWAY = {"ETL_DATABASE_URL": "postgresql://lead:sesame@127.0.0.1:9/x"}


def test_help_lists_every_command_and_every_command_has_help(etl: Etl) -> None:
    listed = etl("--help")
    assert (listed.status, listed.err) == (0, "")
    for name, command in main.COMMANDS.items():
        assert name in listed.out
        assert command.says in listed.out
        found = getattr(import_module(command.module), command.name)
        assert isinstance(found, typer.Typer) or found.__doc__


@pytest.mark.parametrize("name", ["up", "down", "status", "psql", "settings", "doctor"])
def test_help_of_a_command(name: str, etl: Etl) -> None:
    done = etl(name, "--help", env={"COLUMNS": "80"})
    assert done.status == 0
    assert f"Usage: etl {name}" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_version(etl: Etl) -> None:
    assert etl("--version").out == f"headrace {version('headrace')}\n"


def test_an_unknown_command_or_option_is_told(etl: Etl) -> None:
    for arguments in (["upp"], ["up", "mysql"], ["status", "--yaml"]):
        done = etl(*arguments)
        assert (done.status, done.out) == (2, "")
        assert arguments[-1] in done.err
        assert "Traceback" not in done.err


def test_what_the_user_can_mend_is_a_sentence(tmp_path: Path, etl: Etl) -> None:
    done = etl("psql", env={"ETL_HOME": str(tmp_path)})
    assert done.status == 1
    assert done.err == ("etl: PostgreSQL is not running: run `etl up`, or set ETL_DATABASE_URL\n")


def test_a_database_that_is_away_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def connect() -> None:
        """Reach for a server that is not there."""
        psycopg.connect(AWAY["ETL_DATABASE_URL"])

    monkeypatch.setattr("etl.cli.servers.status", connect)
    assert main.run(["status"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("etl: PostgreSQL: connection")
    assert "etl doctor" in said
    assert "sesame" not in said


@pytest.mark.parametrize(
    ("error", "status"),
    [(PlainError("no water"), 1), (KeyboardInterrupt(), 130), (SystemExit(7), 7)],
)
def test_exit_status(
    error: BaseException,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        """Fail."""
        raise error

    monkeypatch.setattr("etl.cli.servers.status", fail)
    assert main.run(["status"]) == status
    assert capsys.readouterr().err == ("etl: no water\n" if status == 1 else "")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        """Fail."""
        raise ZeroDivisionError

    monkeypatch.setattr("etl.cli.servers.status", fail)
    with pytest.raises(ZeroDivisionError):
        main.run(["status"])


RUNNING = """
import asyncio, sys
from etl.cli.run import run_async
async def work():
    print("ready", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        print("cleaned up", flush=True)
try:
    run_async(work)
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs ``code`` and has said that it is ready."""
    with subprocess.Popen(
        [ETL.with_name("python"), "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


@pytest.mark.parametrize(
    ("stop", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_stopped_coroutine_cleans_up(stop: signal.Signals, status: int) -> None:
    with running(RUNNING) as process:
        process.send_signal(stop)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (status, "cleaned up\n", "")


OWN_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
SAYING = """
        print("cleaning up", file=sys.stderr, flush=True)
        await asyncio.sleep(0.5)
"""


def test_a_terminal_closes_twice_and_the_cleanup_ends() -> None:
    slow = OWN_TERMINAL + RUNNING.replace("    finally:\n", f"    finally:\n{SAYING}")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [ETL.with_name("python"), "-c", slow],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        env=environment(),
    ) as process:
        os.close(theirs)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.close(ours)  # the kernel tells it, then the shell does
        time.sleep(0.2)
        process.send_signal(signal.SIGHUP)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (129, b"cleaned up\n")


def test_told_again_it_says_so_and_the_cleanup_ends() -> None:
    patient = "work, told=lambda first: print('first' if first else 'again', flush=True)"
    slow = RUNNING.replace("    finally:\n", f"    finally:\n{SAYING}")
    with running(slow.replace("run_async(work", f"run_async({patient}")) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "cleaning up\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "first\nagain\ncleaned up\n", "")


def test_under_nohup_a_closed_terminal_ends_nothing() -> None:
    with subprocess.Popen(
        ["nohup", ETL.with_name("python"), "-c", RUNNING.replace("60", "0.5")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_coroutine_gives_its_result() -> None:
    async def answer() -> int:
        return 42

    assert run_async(answer) == 42
