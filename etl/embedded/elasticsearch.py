"""The embedded Elasticsearch: one node, one data folder, one port of 127.0.0.1, started by the Java that is here."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx

from etl.embedded.account import Account, account
from etl.embedded.elasticsearch_conf import write_conf
from etl.embedded.elasticsearch_dist import unpacked
from etl.embedded.home import Home, ServerFailed, read_json, write_private
from etl.embedded.java import get_java
from etl.embedded.process import end, find, free_port, marked, tail
from etl.embedded.report import Report
from etl.settings import Settings

NAME = "elasticsearch"
JAVA = "java"
START_SECONDS = 240
STOP_SECONDS = 60
TRIES = 3


@dataclass(frozen=True)
class Elasticsearch:
    """The node of one home. Every call that changes something is made under the home's lock."""

    home: Home
    settings: Settings

    @property
    def folder(self) -> Path:
        """Everything of this server."""
        return self.home.folder(NAME)

    @property
    def port(self) -> int | None:
        """The port chosen at the last start."""
        port = read_json(self._state).get("port")
        return port if isinstance(port, int) else None

    def url(self, port: int) -> str:
        """URL of the node; it asks for no password."""
        return f"http://127.0.0.1:{port}"

    def running(self) -> int | None:
        """The port of the running node; None when there is none, or none that was seen to be ready yet."""
        pid = self._pid()
        if pid is None or pid != read_json(self._state).get("pid"):
            return None
        return self.port if find(pid, JAVA, self._mark) else None

    def up(self, report: Report) -> None:
        """Start the node unless it runs. Killed in the middle, the next call takes up what is there.

        Raises:
            ServerFailed: it cannot be started.
        """
        self.home.make()
        who = account()
        if find(self._pid(), JAVA, self._mark) is None:
            self._clear_remains(report)
            self._start(who, report)
        self._wait(report)
        write_private(self._state, json.dumps({"port": self.port, "pid": self._pid()}))

    def down(self, report: Report) -> bool:
        """Stop the node; True when there was one. What was acknowledged is kept."""
        node = find(self._pid(), JAVA, self._mark)
        if node is None:
            return False
        report.step(NAME, "stopping")
        end([node], signal=signal.SIGTERM, seconds=STOP_SECONDS)
        return True

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    @property
    def _mark(self) -> str:
        return f"{self.folder}{os.sep}"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "run" / "pid"

    def _pid(self) -> int | None:
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None

    def _clear_remains(self, report: Report) -> None:
        """End a start that was cut short, so that two nodes do not want the same data."""
        remains = marked(JAVA, self._mark)
        if remains:
            report.step(NAME, "ending a start that was cut short")
            end(remains, signal=signal.SIGTERM, seconds=20)
        self._pid_file.unlink(missing_ok=True)

    def _start(self, who: Account, report: Report) -> None:
        """Start the node at the remembered port, or at another one when it is taken."""
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o711)
        who.let_in(self.folder / "data")
        dist = unpacked(self.folder, report)
        java = get_java(who, self.home.path / "java", report)
        for name in ("conf", "data", "log", "run", "tmp"):
            who.own(self.folder / name)
        for left in reversed(range(TRIES)):
            port = free_port(self.port)
            write_private(self._state, json.dumps({"port": port}))
            write_conf(
                self.folder / "conf",
                dist=dist,
                data=self.folder / "data",
                log=self.home.log(NAME),
                port=port,
                heap=self.settings.elasticsearch_heap,
            )
            report.step(NAME, f"starting at port {port}")
            if self._launch(who, dist, java):
                return
            said = tail(self.home.log(NAME))
            # Between the look for a free port and the start, somebody may have taken it.
            if left == 0 or "BindHttpException" not in said:
                raise ServerFailed(f"Elasticsearch did not start. {said}")

    def _launch(self, who: Account, dist: Path, java: Path) -> bool:
        """Run the launcher, which ends when the node is ready or has failed. A Ctrl-C meanwhile ends both."""
        env = {
            "ES_PATH_CONF": str(self.folder / "conf"),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "ES_JAVA_HOME": str(java),
        }
        command = [str(dist / "bin" / "elasticsearch"), "-d", "-p", str(self._pid_file)]
        with (self.home.log(NAME) / "start.log").open("wb") as log:
            launcher = who.start(command, env=env, output=log)
        try:
            return launcher.wait(START_SECONDS) == 0
        except BaseException as error:
            end(marked(JAVA, self._mark), signal=signal.SIGTERM, seconds=20)
            launcher.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ServerFailed(
                    f"Elasticsearch was not ready within {START_SECONDS} seconds. {tail(self.home.log(NAME))}"
                ) from None
            raise

    def _wait(self, report: Report) -> None:
        """Wait until the cluster has its state and a master."""
        report.step(NAME, "waiting for its health")
        clock = Event()
        health = f"{self.url(self.port or 0)}/_cluster/health?wait_for_status=yellow&timeout=5s"
        with httpx.Client(timeout=10, trust_env=False) as client:
            for _ in range(START_SECONDS):
                try:
                    if client.get(health).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    if find(self._pid(), JAVA, self._mark) is None:
                        break
                clock.wait(0.2)
        raise ServerFailed(f"Elasticsearch did not become healthy. {tail(self.home.log(NAME))}")
