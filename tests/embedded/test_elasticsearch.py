"""The embedded Elasticsearch. A start takes long: what only looks does so at the session's own node."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Event

import httpx
import psutil
import pytest

from etl import embedded
from etl.embedded import NotRunning, ServerFailed, elasticsearch_dist
from etl.embedded.report import Silent
from etl.embedded.servers import Name
from etl.settings import Settings
from tests.commands import ETL, environment, variables
from tests.conftest import server_settings

ELASTICSEARCH: tuple[Name, ...] = ("elasticsearch",)


@pytest.fixture
def node(servers_home: Path, elasticsearch_url: str) -> Settings:
    return server_settings(servers_home)


def process(settings: Settings) -> psutil.Process:
    return psutil.Process(int((settings.home / "elasticsearch" / "run" / "pid").read_text()))


def test_one_unprivileged_node_that_makes_no_index_by_itself(
    node: Settings, elasticsearch_url: str
) -> None:
    health = httpx.get(f"{elasticsearch_url}/_cluster/health").json()
    assert health["number_of_nodes"] == 1
    refused = httpx.put(f"{elasticsearch_url}/surely-not-there/_doc/1", json={"a": 1})
    assert refused.json()["error"]["type"] == "index_not_found_exception"
    assert process(node).username() == (
        "headrace" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    )
    listening = [c for c in process(node).net_connections("inet") if c.status == "LISTEN"]
    assert {c.laddr[0].removeprefix("::ffff:") for c in listening} == {"127.0.0.1"}
    assert "-Xmx512m" in process(node).cmdline()
    assert "started" in (node.home / "elasticsearch" / "log" / "elasticsearch.log").read_text()


@pytest.mark.timeout(300)
def test_a_killed_node_is_found_and_started_again_with_its_data(fresh_home: Settings) -> None:
    embedded.up(fresh_home, ELASTICSEARCH)
    url = embedded.elasticsearch_url(fresh_home)
    httpx.put(f"{url}/kept").raise_for_status()
    httpx.put(f"{url}/kept/_doc/1", json={"n": 1}).raise_for_status()
    before = process(fresh_home)
    before.kill()
    psutil.wait_procs([before], timeout=10)
    with pytest.raises(NotRunning, match="Elasticsearch is not running: run `etl up`"):
        embedded.elasticsearch_url(fresh_home)
    assert embedded.status(fresh_home)["elasticsearch"]["running"] is False
    embedded.up(fresh_home, ELASTICSEARCH)
    assert embedded.elasticsearch_url(fresh_home) == url
    assert process(fresh_home) != before
    assert os.getsid(process(fresh_home).pid) != os.getsid(0)
    assert httpx.get(f"{url}/kept/_doc/1").json()["_source"] == {"n": 1}


def test_ctrl_c_during_the_start_leaves_nothing_behind(fresh_home: Settings) -> None:
    mark = f"{fresh_home.home}/elasticsearch/"

    def javas() -> list[psutil.Process]:
        found = []
        for one in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if one.info["name"] == "java" and any(mark in word for word in one.cmdline()):
                    found.append(one)
        return found

    with subprocess.Popen(
        [ETL, "up", "elasticsearch"],
        env=environment(variables(fresh_home)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as start:
        wait_for(javas)
        start.send_signal(signal.SIGINT)
        _, said = start.communicate(timeout=60)
    assert start.returncode == 130
    assert "Traceback" not in said
    assert javas() == []
    with pytest.raises(NotRunning):
        embedded.elasticsearch_url(fresh_home)


def test_a_cut_download_is_fetched_again(
    tmp_path: Path, node: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = elasticsearch_dist._resolve(Silent())
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:1_000_000])
    found = iter([cut, whole])
    monkeypatch.setattr(elasticsearch_dist, "_resolve", lambda _: next(found))
    place = elasticsearch_dist.unpacked(tmp_path, Silent())
    assert not cut.exists()
    assert os.access(place / "bin" / "elasticsearch", os.X_OK)
    assert not (tmp_path / "unpacking").exists()
    shutil.rmtree(place)


def test_where_nothing_can_be_fetched_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ServerFailed, match=r"could not be fetched: .*ETL_ELASTICSEARCH_URL"):
        elasticsearch_dist.unpacked(tmp_path, Silent())


def wait_for(something: Callable[[], object]) -> None:
    clock = Event()
    for _ in range(600):
        if something():
            return
        clock.wait(0.1)
    pytest.fail("it did not come in a minute")
