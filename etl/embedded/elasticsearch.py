"""The embedded Elasticsearch: one node, one data folder, one port of 127.0.0.1."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx
import psutil

from etl.embedded.account import Account, account
from etl.embedded.elasticsearch_conf import Conf
from etl.embedded.elasticsearch_dist import unpacked
from etl.embedded.home import Home, ServerFailed, read_json, write
from etl.embedded.java import get_java
from etl.embedded.process import end, find, free_port, last_words, marked
from etl.embedded.report import Report
from etl.settings import Settings

NAME = "elasticsearch"
JAVA = "java"
START_SECONDS = 240
STOP_SECONDS = 60
TRIES = 3


@dataclass(frozen=True)
class Elasticsearch:
    """The node of one home. What changes something is called under the home's lock."""

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
        """The port of the node; None when there is none, or none that was seen to be ready."""
        node = self._process()
        ready = node is not None and node.pid == read_json(self._state).get("pid")
        return self.port if ready else None

    def up(self, report: Report) -> None:
        """Start the node unless it runs. Killed midway, the next call takes up what is there.

        Raises:
            ServerFailed: it cannot be started.
        """
        if self._process() is None:
            self._clear_remains(report)
            self._start(account(), report)
        node = self._wait(report)
        write(self._state, json.dumps({"port": self.port, "pid": node.pid}))

    def down(self, report: Report) -> bool:
        """Stop the node; True when there was one. What was acknowledged is kept."""
        found = marked(JAVA, self._mark)
        if found:
            report.step(NAME, "stopping")
            end(found, signal.SIGTERM, seconds=STOP_SECONDS)
        return bool(found)

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    @property
    def _mark(self) -> str:
        return f"{self.folder}{os.sep}"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "run" / "pid"

    @property
    def _logs(self) -> list[Path]:
        return [self.folder / "log" / "elasticsearch.log", self.folder / "start.log"]

    def _process(self) -> psutil.Process | None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return find(pid, JAVA, self._mark)

    def _clear_remains(self, report: Report) -> None:
        """End a start that was cut short, so that two nodes do not want the same data."""
        remains = marked(JAVA, self._mark)
        if remains:
            report.step(NAME, "ending a start that was cut short")
            end(remains, signal.SIGTERM, seconds=20)
        self._pid_file.unlink(missing_ok=True)

    def _start(self, who: Account, report: Report) -> None:
        """Start the node at the remembered port, or at another one when it is taken."""
        self.folder.mkdir(mode=0o711, exist_ok=True)
        who.let_in(self.folder / "data")
        dist = unpacked(self.folder, report)
        java = get_java(who, self.home.path / "java", report)
        for name in ("conf", "data", "log", "run", "tmp"):
            who.own(self.folder / name)
        for left in reversed(range(TRIES)):
            port = free_port(self.port)
            write(self._state, json.dumps({"port": port}))
            conf = Conf(self.folder / "data", self.folder / "log", port, self._java_options())
            conf.write(self.folder / "conf", dist)
            report.step(NAME, f"starting at port {port}")
            if self._launch(who, dist, java):
                return
            said = last_words(*self._logs)
            # Between the look for a free port and the start somebody may have taken it.
            if left == 0 or "BindHttpException" not in said:
                raise ServerFailed(f"Elasticsearch did not start.\n{said}")

    def _java_options(self) -> tuple[str, ...]:
        heap = self.settings.elasticsearch_heap
        return f"-Xms{heap}", f"-Xmx{heap}", *self.settings.elasticsearch_java_options.split()

    def _launch(self, who: Account, dist: Path, java: Path) -> bool:
        """Run the launcher, which ends when the node is ready or has failed.

        A Ctrl-C meanwhile ends the launcher and the node.
        """
        env = {
            "ES_PATH_CONF": str(self.folder / "conf"),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "ES_JAVA_HOME": str(java),
        }
        command = [str(dist / "bin" / "elasticsearch"), "-d", "-p", str(self._pid_file)]
        with (self.folder / "start.log").open("wb") as log:
            launcher = who.start(command, env=env, output=log)
        try:
            return launcher.wait(START_SECONDS) == 0
        except subprocess.TimeoutExpired:
            raise ServerFailed(
                f"Elasticsearch was not ready within {START_SECONDS} seconds.\n"
                f"{last_words(*self._logs)}"
            ) from None
        finally:
            if launcher.returncode is None:
                end(marked(JAVA, self._mark), signal.SIGTERM, seconds=20)
                launcher.wait()

    def _wait(self, report: Report) -> psutil.Process:
        """Wait until the cluster has its state and a master. Gives the node's process."""
        report.step(NAME, "waiting for its health")
        clock = Event()
        health = f"{self.url(self.port or 0)}/_cluster/health?wait_for_status=yellow&timeout=5s"
        with httpx.Client(timeout=10, trust_env=False) as client:
            for _ in range(START_SECONDS):
                node = self._process()
                if node is None:
                    break
                try:
                    if client.get(health).status_code == httpx.codes.OK:
                        return node
                except httpx.TransportError as error:
                    report.step(NAME, f"waiting for its health ({error})")
                clock.wait(0.2)
        raise ServerFailed(f"Elasticsearch did not become healthy.\n{last_words(*self._logs)}")
