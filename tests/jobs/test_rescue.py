"""Jobs whose worker is gone: seen, put back, run again, given up in the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from jobs.application import Application
from tests.jobs.conftest import Rows, drain, until, working

SILENT = "select * from jobs.rescue('3 seconds', 5)"


@pytest.fixture
async def dead(rows: Rows) -> int:
    """A worker that has been silent for a minute."""
    (worker,) = await rows("select jobs.beat(null, 'dead', 'there', 1, null, 1) as worker_id")
    await rows(
        "update public.procrastinate_workers set last_heartbeat = now() - interval '1 minute'"
    )
    return int(str(worker["worker_id"]))


async def take(rows: Rows, worker_id: int) -> dict[str, object]:
    (job,) = await rows("select * from jobs.fetch(null, %s, 'there:1')", worker_id)
    return job


async def test_a_lost_job_runs_again(app: Application, rows: Rows, dead: int) -> None:
    ran = 0

    @app.task(name="test.count", queue="test", lock="one")
    async def count() -> None:
        nonlocal ran
        ran += 1

    job_id = await count.defer_async()
    await take(rows, dead)
    await drain(app)
    assert ran == 0

    assert await rows(SILENT) == [{"job_id": job_id, "task": "test.count", "outcome": "requeued"}]
    assert await rows("select worker_id from ops.worker") == []
    await drain(app)
    assert ran == 1
    assert await rows("select attempt, worker, outcome, error from ops.run where attempt = 1") == [
        {"attempt": 1, "worker": "there:1", "outcome": "lost", "error": "its worker went silent"}
    ]
    assert await rows("select outcome from ops.run where attempt = 2") == [{"outcome": "succeeded"}]


async def test_one_that_cannot_go_back_does_not_hold_up_the_others(
    app: Application, rows: Rows, dead: int
) -> None:
    for name in ("test.first", "test.second", "test.third"):
        app.task(name=name, queue="test", lock=name, queueing_lock=name)(drain)
        await app.tasks[name].defer_async()
        await take(rows, dead)
    await app.tasks["test.second"].defer_async()  # the next tick waits already

    assert await rows(SILENT) == [
        {"job_id": 1, "task": "test.first", "outcome": "requeued"},
        {"job_id": 2, "task": "test.second", "outcome": "superseded"},
        {"job_id": 3, "task": "test.third", "outcome": "requeued"},
    ]
    assert await rows("select task, status from ops.job order by job_id") == [
        {"task": "test.first", "status": "todo"},
        {"task": "test.second", "status": "aborted"},
        {"task": "test.third", "status": "todo"},
        {"task": "test.second", "status": "todo"},
    ]


async def test_a_worker_that_lives_keeps_its_jobs(app: Application, rows: Rows) -> None:
    @app.task(name="test.long", queue="test")
    async def long() -> None:
        await asyncio.Event().wait()

    await long.defer_async()
    async with working(app):

        async def runs() -> bool:
            return bool(await rows("select 1 as there from ops.run"))

        await until(runs)
        assert await rows(SILENT) == []


async def test_a_job_that_takes_its_workers_with_it_fails_in_the_end(
    app: Application, rows: Rows, dead: int
) -> None:
    app.task(name="test.deadly", queue="test")(drain)
    await app.tasks["test.deadly"].defer_async()
    outcomes = []
    for _ in range(5):
        await take(rows, dead)
        await rows("update public.procrastinate_workers set last_heartbeat = '-infinity'")
        outcomes += [row["outcome"] for row in await rows("select * from jobs.rescue('3 s', 5)")]
        await rows(
            "insert into public.procrastinate_workers (id) overriding system value values (%s)",
            dead,
        )
    assert outcomes == ["requeued"] * 4 + ["failed"]
    assert await rows("select status, attempts from ops.job") == [
        {"status": "failed", "attempts": 5}
    ]


async def test_one_that_was_asked_to_end_does_not_run_again(
    app: Application, rows: Rows, dead: int
) -> None:
    app.task(name="test.unwanted", queue="test")(drain)
    job_id = await app.tasks["test.unwanted"].defer_async()
    await take(rows, dead)
    await rows("select ops.cancel(%s)", job_id)
    assert [row["outcome"] for row in await rows(SILENT)] == ["aborted"]
    assert await rows("select status from ops.job") == [{"status": "aborted"}]


async def test_a_worker_that_comes_back_late_overwrites_nothing(
    app: Application, rows: Rows
) -> None:
    release = asyncio.Event()

    @app.task(name="test.slow", queue="test")
    async def slow() -> None:
        await release.wait()

    await slow.defer_async()
    async with working(app, concurrency=1):

        async def runs() -> bool:
            return bool(await rows("select 1 as there from ops.run"))

        await until(runs)
        await rows(
            "update public.procrastinate_workers set last_heartbeat = now() - interval '1 hour'"
        )
        await rows(SILENT)
        (other,) = await rows("select jobs.beat(null, 'other', 'there', 2, null, 1) as worker_id")
        await take(rows, int(str(other["worker_id"])))
        release.set()

        async def is_known_again() -> bool:
            return bool(await rows("select 1 as there from ops.worker where running = 0"))

        await until(is_known_again)  # it was forgotten; its next sign of life puts it back
    assert await rows("select status, attempts, worker from ops.job") == [
        {"status": "doing", "attempts": 1, "worker": "other"}
    ]
    assert await rows("select attempt, outcome from ops.run order by attempt") == [
        {"attempt": 1, "outcome": "lost"},
        {"attempt": 2, "outcome": None},
    ]


@asynccontextmanager
async def cut(conn: psycopg.AsyncConnection, rows: Rows) -> AsyncIterator[None]:
    """Cuts the connection of the statement that the block starts, while it runs."""
    async with conn.transaction():
        await conn.execute("lock table ops.run in access exclusive mode")
        yield

        async def is_cut() -> bool:
            return bool(
                await rows(
                    "select pg_terminate_backend(pid) from pg_locks"
                    " where relation = 'ops.run'::regclass and not granted"
                )
            )

        await until(is_cut)


async def test_a_worker_that_was_forgotten_takes_jobs_again(app: Application, rows: Rows) -> None:
    """Whoever rescues first after an absence of the database forgets workers that live."""
    ran = asyncio.Event()

    @app.task(name="test.late", queue="test")
    async def late() -> None:
        ran.set()

    async with working(app):

        async def is_known() -> bool:
            return bool(await rows("select worker_id from ops.worker"))

        await until(is_known)
        await rows("delete from public.procrastinate_workers")
        await late.defer_async()
        await asyncio.wait_for(ran.wait(), 10)
        assert await is_known()


async def test_an_answer_that_was_lost_is_settled_before_the_next_job(
    app: Application, conn: psycopg.AsyncConnection, rows: Rows
) -> None:
    app.task(name="test.first", queue="test")(drain)
    await app.tasks["test.first"].batch_defer_async({}, {})
    worker_id = await app.job_manager.register_worker()
    await take(rows, worker_id)  # given to this worker, which never heard of it
    async with cut(conn, rows):
        fetching = asyncio.create_task(app.job_manager.fetch_job(None, worker_id))
    assert await fetching is None

    job = await app.job_manager.fetch_job(None, worker_id)
    assert job is not None
    assert (job.id, job.attempts) == (1, 1)
    assert await rows("select job_id, attempt, outcome from ops.run order by run_id") == [
        {"job_id": 1, "attempt": 1, "outcome": "lost"},
        {"job_id": 1, "attempt": 2, "outcome": None},
    ]


async def test_an_end_that_was_lost_is_said_again(
    app: Application, conn: psycopg.AsyncConnection, rows: Rows
) -> None:
    app.task(name="test.first", queue="test")(drain)
    await app.tasks["test.first"].defer_async()
    worker_id = await app.job_manager.register_worker()
    job = await app.job_manager.fetch_job(None, worker_id)
    assert job is not None
    async with cut(conn, rows):
        ending = asyncio.create_task(app.job_manager.finish_job(job, Status.SUCCEEDED, False))
    await ending
    assert await rows("select status from ops.job") == [{"status": "succeeded"}]
    assert await rows("select outcome from ops.run") == [{"outcome": "succeeded"}]


async def test_what_is_wrong_is_not_taken_for_an_absence(app: Application, rows: Rows) -> None:
    await rows("drop function jobs.fetch")
    with pytest.raises(ConnectorException):
        await app.job_manager.fetch_job(None, 1)
