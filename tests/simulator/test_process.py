"""The simulator as a process: starts quickly, stays small, ends when asked and with its parent."""

import asyncio
import signal
import sys
import time

import psutil
import pytest

from etl.simulator.process import SimulatorFailed, settings_for, start
from tests.simulator.conftest import UNLIMITED, open_client

pytestmark = pytest.mark.asyncio(loop_scope="session")
COMMAND = (sys.executable, "-m", "etl.simulator", "--islands", "50")


async def run(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_signal_ends_it_with_status_0_even_with_a_request_in_hand(number: int) -> None:
    process = await run("--fault", '{"route": "islands", "kind": "hang"}')
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on http://127.0.0.1:")
    port = int(line.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /ecosystem/v1/islands HTTP/1.1\r\nHost: simulator\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.2)
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    writer.close()


async def test_attached_it_ends_with_its_standard_input() -> None:
    process = await run("--attached")
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readline()
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--limit", "nothing=3"), "no limit is named 'nothing'"),
        (("--limit", "links"), "must be NAME=NUMBER"),
        (("--now", "soon"), "soon"),
        (("--fault", '{"route": "links", "kind": "gremlins"}'), "gremlins"),
    ],
)
async def test_what_cannot_be_is_named_on_standard_error(
    arguments: tuple[str, ...], reason: str
) -> None:
    process = await run(*arguments)
    _, complaint = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert reason in complaint.decode()
    assert "Traceback" not in complaint.decode()


async def test_start_fails_with_a_reason() -> None:
    with pytest.raises(SimulatorFailed, match="no limit is named 'nothing'"):
        async with start(limit={"nothing": 3}):
            pytest.fail("it started")


async def test_half_a_million_islands_are_small_and_quick() -> None:
    began = time.monotonic()
    async with start(islands=500_000, seed=1, limit=UNLIMITED) as running:
        assert time.monotonic() - began < 10
        async with open_client(running) as client:
            path = "/ecosystem/v1/islands?size=1000"
            for _ in range(10):
                path = (await client.get(path)).json()["links"]["next"]
        assert (await running.state())["listed"] >= 500_000
        assert psutil.Process(running.pid).memory_info().rss < 200e6
    assert not psutil.pid_exists(running.pid)


async def test_settings_point_the_pipeline_at_it() -> None:
    given = settings_for("http://127.0.0.1:9")
    assert given["ETL_FORTNITE_DATA_URL"] == "http://127.0.0.1:9/ecosystem/v1"
    assert given["ETL_FORTNITE_ACCOUNT_URL"] == "http://127.0.0.1:9"
    assert given["ETL_FORTNITE_CLIENT_SECRET"]
