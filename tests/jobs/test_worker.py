"""Worker processes: told to end, killed, left without their database."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from etl import embedded
from etl.engine.migrate import migrate
from etl.settings import Settings
from jobs.application import Application
from tests.commands import environment, run_etl, variables
from tests.conftest import HOMES
from tests.jobs.conftest import Rows, until

ROOT = Path(__file__).parents[2]
Process = asyncio.subprocess.Process
Start = Callable[..., Coroutine[Any, Any, Process]]

NAPPING = "select 1 as there from ops.run where task = 'test.nap' and finished_at is null"


@pytest.fixture
async def start(settings: Settings, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a worker that naps; whatever it does, it is gone after the test."""
    started: list[Process] = []

    async def begin(*arguments: str, options: Settings = settings, **extra: str) -> Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.jobs.napping",
            *arguments,
            cwd=tmp_path,
            env=environment({**variables(options), "PYTHONPATH": _path(), **extra}),
        )
        started.append(worker)
        return worker

    yield begin
    for worker in started:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()


def _path() -> str:
    return ":".join([str(ROOT), *filter(None, [environment().get("PYTHONPATH")])])


async def nap(app: Application, *lengths: float) -> None:
    naps = app.configure_task("test.nap", queue="naps")
    for seconds in lengths:
        await naps.defer_async(seconds=seconds)


async def napping(worker: Process, rows: Rows) -> None:
    async def is_napping() -> bool:
        assert worker.returncode is None
        return bool(await rows(NAPPING))

    await until(is_napping, seconds=60)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
async def test_told_to_end_it_finishes_what_it_has_and_takes_no_more(
    app: Application, rows: Rows, start: Start, stop: signal.Signals
) -> None:
    await nap(app, 1.0, 0.0)
    worker = await start("--concurrency", "1", "--queues", "naps", "--name", "sleepy")
    await napping(worker, rows)
    assert await rows("select name, queues, concurrency, pid from ops.worker") == [
        {"name": "sleepy", "queues": ["naps"], "concurrency": 1, "pid": worker.pid}
    ]
    worker.send_signal(stop)

    assert await worker.wait() == 0
    assert await rows("select status from ops.job where task = 'test.nap' order by job_id") == [
        {"status": "succeeded"},
        {"status": "todo"},
    ]
    assert await rows("select numbers from ops.run") == [{"numbers": {"slept": 1.0}}]
    assert await rows("select worker_id from ops.worker") == []


@pytest.mark.parametrize("way", ["second signal", "no grace"])
async def test_a_job_that_cannot_end_in_time_goes_back(
    app: Application, rows: Rows, start: Start, way: str
) -> None:
    await nap(app, 600.0)
    worker = await start(ETL_WORKER_GRACE="600" if way == "second signal" else "0.1")
    await napping(worker, rows)
    worker.send_signal(signal.SIGINT)
    if way == "second signal":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.wait(), 0.5)
        worker.send_signal(signal.SIGTERM)

    assert await worker.wait() == 0
    assert await rows("select status, attempts from ops.job where task = 'test.nap'") == [
        {"status": "todo", "attempts": 1}
    ]
    assert await rows("select outcome, error from ops.run where task = 'test.nap'") == [
        {"outcome": "aborted", "error": "its worker ended before it did"}
    ]


async def test_the_jobs_of_a_killed_worker_run_again(
    app: Application, rows: Rows, start: Start
) -> None:
    await nap(app, 2.0)
    silence = {"ETL_WORKER_SILENCE": "3"}
    killed = await start("--queues", "naps", **silence)
    await napping(killed, rows)
    killed.kill()
    await killed.wait()
    await start("--queues", "naps,maintenance", **silence)

    async def is_missed() -> bool:
        return bool(await rows("select 1 as there from ops.worker where silent_seconds > 3"))

    await until(is_missed)
    await rows("select ops.enqueue('maintenance.rescue')")

    async def napped() -> bool:
        return bool(await rows("select 1 as there from ops.run where numbers ? 'slept'"))

    await until(napped)
    assert await rows(
        "select attempt, outcome from ops.run where task = 'test.nap' order by attempt"
    ) == [{"attempt": 1, "outcome": "lost"}, {"attempt": 2, "outcome": "succeeded"}]
    assert {"numbers": {"requeued": 1}} in await rows(
        "select numbers from ops.run where task = 'maintenance.rescue'"
    )


@pytest.fixture
def own_server() -> Iterator[Settings]:
    """A PostgreSQL of the test's own, migrated, which it may stop."""
    home = Path(tempfile.mkdtemp(prefix="headrace-test-", dir=HOMES))
    options = Settings(home=home, postgres_fsync=False)
    try:
        embedded.up(options, ("postgres",))
        migrate(embedded.database_url(options), options)
        yield options
    finally:
        embedded.down(options)
        shutil.rmtree(home)


async def test_a_restart_of_the_database_costs_no_job(own_server: Settings, start: Start) -> None:
    async def rows(text: str, *_: object) -> list[dict[str, Any]]:
        url = embedded.database_url(own_server)
        async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as conn:
            return await (await conn.execute(text.encode())).fetchall()

    async def queue(seconds: float) -> None:
        await rows(
            "insert into public.procrastinate_jobs (queue_name, task_name, args) values"
            f" ('naps', 'test.nap', '{{\"seconds\": {seconds}}}') returning id"
        )

    await queue(1.0)
    worker = await start("--queues", "naps", options=own_server)

    await napping(worker, rows)
    await asyncio.to_thread(embedded.down, own_server, ("postgres",))
    await asyncio.sleep(1.5)  # the nap ends while nobody can be told
    await asyncio.to_thread(embedded.up, own_server, ("postgres",))
    await queue(0.0)

    async def all_napped() -> bool:
        return len(await rows("select 1 as there from ops.run where finished_at is not null")) == 2

    await until(all_napped)
    assert await rows("select attempt, outcome from ops.run order by job_id") == [
        {"attempt": 1, "outcome": "succeeded"},
        {"attempt": 1, "outcome": "succeeded"},
    ]
    assert [row["pid"] for row in await rows("select pid from ops.worker")] == [worker.pid]
    worker.terminate()
    assert await worker.wait() == 0


def test_what_it_cannot_work_on_is_said_in_a_sentence(settings: Settings, tmp_path: Path) -> None:
    nowhere = run_etl("worker", env={"ETL_HOME": str(tmp_path)})
    assert nowhere.returncode == 1
    assert "PostgreSQL is not running: run `etl up`" in nowhere.stderr

    url = settings.database_url
    assert url is not None
    with psycopg.connect(url.get_secret_value(), autocommit=True) as conn:
        conn.execute("update engine.alembic_version set version_num = '0001'")
    old = run_etl("worker", env=variables(settings))
    assert old.returncode == 1
    assert "run `etl migrate`" in old.stderr
