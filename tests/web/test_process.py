"""The page as a process: however it is told to end, it ends in order."""

import signal
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
