"""The page as a process: however it is told to end, it ends in order."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from etl.embedded.process import free_port
from tests.commands import environment


@pytest.fixture
def page(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``etl web`` that answers and is attached to its standard input."""
    port = free_port(None)
    with subprocess.Popen(
        [sys.executable, "-m", "etl.cli.attached", "web", "--port", str(port)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"ETL_HOME": str(tmp_path), "ETL_ELASTICSEARCH_URL": "http://127.0.0.1:9"}),
    ) as process:
        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process
        process.kill()


@pytest.mark.parametrize("way", ["SIGTERM", "SIGHUP", "end of its input"])
def test_it_ends_in_order(page: subprocess.Popen[bytes], way: str) -> None:
    if way.startswith("SIG"):
        page.send_signal(signal.Signals[way])
    _, said = page.communicate(timeout=20)
    assert page.returncode == -signal.SIGTERM
    assert b"Finished server process" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Elasticsearch is not running: run `etl up`, or set ETL_ELASTICSEARCH_URL"),
        (
            {"ETL_ELASTICSEARCH_URL": "http://127.0.0.1:9"},
            "is in use: end what listens there, or set ETL_WEB_PORT to another port",
        ),
    ],
)
def test_what_keeps_it_from_starting_is_a_sentence(
    options: dict[str, str], said: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = str(held.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "etl.cli", "web", "--port", port],
            env=environment({"ETL_HOME": str(tmp_path), **options}),
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
