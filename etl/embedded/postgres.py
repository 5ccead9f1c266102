"""The embedded PostgreSQL: one data folder, one port of 127.0.0.1."""

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import quote

import psutil
import psycopg

from etl.embedded.account import Account, account
from etl.embedded.home import OWNER, Home, ServerFailed, read_json, write
from etl.embedded.postgres_build import Build, find_build
from etl.embedded.postgres_conf import ENVIRONMENT, conf
from etl.embedded.process import end, find, free_port, last_words, marked, newest
from etl.embedded.report import Report
from etl.settings import Settings

NAME = "postgres"
DATABASE = "headrace"
START_SECONDS = 300
STOP_SECONDS = 60
TRIES = 3


@dataclass(frozen=True)
class Postgres:
    """The server of one home. What changes something is called under the home's lock."""

    home: Home
    settings: Settings

    @property
    def folder(self) -> Path:
        """Everything of this server."""
        return self.home.folder(NAME)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def port(self) -> int | None:
        """The port chosen at the last start."""
        port = read_json(self._state).get("port")
        return port if isinstance(port, int) else None

    def url(self, port: int, *, database: str = DATABASE) -> str:
        """URL as the owner, password included."""
        password = quote(self.home.passwords()[OWNER].get_secret_value(), safe="")
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{database}"

    def running(self) -> int | None:
        """The port of the server; None when there is none, or none that takes connections yet."""
        lines = self._postmaster()
        if len(lines) < 8 or lines[7].strip() != "ready" or self._process() is None:
            return None
        return int(lines[3])

    def up(self, report: Report) -> None:
        """Start the server unless it runs. Killed midway, the next call takes up what is there.

        Raises:
            ServerFailed: it cannot be started.
        """
        who = account()
        if self._process() is None:
            build = self._prepare(who, report)
            self._clear_remains(report)
            self._start(who, build, report)
        port = self._wait(report)
        self.home.write_pgpass(port)
        self._make_database(port)

    def down(self, report: Report) -> bool:
        """Stop the server; True when there was one. Sessions are ended, what is committed stays."""
        server = self._process()
        if server is not None:
            report.step(NAME, "stopping")
            # SIGINT is PostgreSQL's fast shutdown: it ends sessions instead of waiting for them.
            end([server], signal.SIGINT, seconds=STOP_SECONDS)
        end(marked(NAME, str(self.data)), signal.SIGTERM, seconds=10)
        return server is not None

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    @property
    def _logs(self) -> list[Path]:
        return [self.folder / "start.log", *newest(self.folder / "log", "*.log")]

    def _postmaster(self) -> list[str]:
        """The lines of postmaster.pid: pid, data folder, start, port, ..., status."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _process(self) -> psutil.Process | None:
        lines = self._postmaster()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return find(pid, NAME, str(self.data))

    def _prepare(self, who: Account, report: Report) -> Build:
        """Make the data folder if there is none, and see that this build can open it."""
        self.folder.mkdir(mode=0o711, exist_ok=True)
        who.let_in(self.data)
        who.own(self.folder / "log")
        build = find_build(who, self.settings.postgres_bin)
        kept = self.data / "PG_VERSION"
        if not kept.exists():
            report.step(NAME, f"making a database cluster (PostgreSQL {build.major})")
            password = self.home.passwords()[OWNER].get_secret_value()
            build.initdb(who, self.data, password, fsync=self.settings.postgres_fsync)
        made_by = int(kept.read_text())
        if made_by != build.major:
            raise ServerFailed(
                f"{self.data} was made by PostgreSQL {made_by} and {build.bin} is PostgreSQL "
                f"{build.major}: set ETL_POSTGRES_BIN to a PostgreSQL {made_by}, or ETL_HOME to "
                "another folder"
            )
        return build

    def _clear_remains(self, report: Report) -> None:
        """End what a killed server left behind, so that a new one can have its data."""
        remains = marked(NAME, str(self.data))
        if remains:
            report.step(NAME, "waiting for the processes of the last server to end")
            psutil.wait_procs(remains, timeout=2)
            end(marked(NAME, str(self.data)), signal.SIGTERM, seconds=10)
        # None of its processes is left. If the system gave its pid to somebody else, PostgreSQL
        # would take that for a running server and refuse to start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _start(self, who: Account, build: Build, report: Report) -> None:
        """Start the server at the remembered port, or at another one when it is taken."""
        command = [str(build.bin / "pg_ctl"), "start", "-D", str(self.data)]
        for left in reversed(range(TRIES)):
            port = free_port(self.port)
            write(self._state, json.dumps({"port": port}))
            fsync = self.settings.postgres_fsync
            text = conf(port=port, log=self.folder / "log", fsync=fsync, libraries=build.libraries)
            write(self.folder / "headrace.conf", text, mode=0o644)
            report.step(NAME, f"starting at port {port}")
            with (self.folder / "start.log").open("wb") as log:
                done = who.run(
                    [*command, "-w", "-t", str(START_SECONDS), "-s"], env=ENVIRONMENT, output=log
                )
            if done.returncode == 0:
                return
            said = last_words(*self._logs)
            # Between the look for a free port and the start somebody may have taken it.
            if left == 0 or "TCP/IP sockets" not in said:
                raise ServerFailed(f"PostgreSQL did not start.\n{said}")

    def _wait(self, report: Report) -> int:
        """Wait until the server takes connections; after a crash it recovers first."""
        report.step(NAME, "waiting for connections")
        clock = Event()
        for _ in range(START_SECONDS * 10):
            port = self.running()
            if port is not None:
                return port
            if self._process() is None:
                break
            clock.wait(0.1)
        raise ServerFailed(f"PostgreSQL takes no connections.\n{last_words(*self._logs)}")

    def _make_database(self, port: int) -> None:
        try:
            with psycopg.connect(self.url(port, database="postgres"), autocommit=True) as conn:
                found = conn.execute("select from pg_database where datname = %s", [DATABASE])
                if found.rowcount == 0:
                    conn.execute(f"create database {DATABASE}")
        except psycopg.OperationalError as error:
            raise ServerFailed(
                f"PostgreSQL runs at port {port} and does not let its owner in: "
                f"{str(error).strip()}. If {self.home.path / 'passwords.json'} was replaced, "
                "restore it"
            ) from error
