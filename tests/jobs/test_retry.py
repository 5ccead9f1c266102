"""Failed jobs put back by hand, one or all, and how often they may be lost then."""

import psycopg
import pytest

from jobs.application import Application
from tests.jobs.conftest import Rows, drain


@pytest.fixture
async def failed(app: Application, rows: Rows) -> list[int]:
    """Three failed jobs: two of test.alone, which allows one to wait, and one of test.other."""

    @app.task(name="test.alone", queue="test", lock="alone", queueing_lock="alone")
    async def alone() -> None:
        raise ValueError("no luck")

    @app.task(name="test.other", queue="test")
    async def other() -> None:
        raise ValueError("no luck")

    ids = []
    for task in (alone, alone, other):
        ids.append(await task.defer_async())
        await drain(app)
    return ids


async def status(rows: Rows) -> list[object]:
    return [row["status"] for row in await rows("select status from ops.job order by job_id")]


async def test_failed_jobs_of_a_task_go_back(rows: Rows, failed: list[int]) -> None:
    assert await status(rows) == ["failed"] * 3
    assert await rows("select ops.retry_failed('test.other') as n") == [{"n": 1}]
    assert await status(rows) == ["failed", "failed", "todo"]


async def test_all_failed_jobs_go_back_but_those_whose_successor_waits(
    conn: psycopg.AsyncConnection, rows: Rows, failed: list[int]
) -> None:
    await conn.execute("set role etl_operator")
    assert await rows("select ops.retry_failed() as n") == [{"n": 2}]
    assert await status(rows) == ["todo", "failed", "todo"]
    assert await rows("select ops.retry_failed() as n") == [{"n": 0}]


async def test_a_task_that_is_none_is_refused(rows: Rows, failed: list[int]) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject, match=r"no task is named test\.typo"):
        await rows("select ops.retry_failed('test.typo')")


async def lose(rows: Rows) -> object:
    """Give the next job to a worker that dies with it; what becomes of the job."""
    (worker,) = await rows("select jobs.beat(null, 'dead', 'there', 1, null, 1) as worker_id")
    await rows("select * from jobs.fetch(null, %s, 'there:1')", worker["worker_id"])
    await rows("update public.procrastinate_workers set last_heartbeat = '-infinity'")
    (rescued,) = await rows("select * from jobs.rescue('3 s', 2)")
    return rescued["outcome"]


async def test_a_lost_job_that_is_put_back_may_be_lost_as_often_again(
    app: Application, rows: Rows
) -> None:
    app.task(name="test.deadly", queue="test")(drain)
    job_id = await app.tasks["test.deadly"].defer_async()
    assert [await lose(rows), await lose(rows)] == ["requeued", "failed"]
    await rows("select ops.retry(%s)", job_id)
    assert [await lose(rows), await lose(rows)] == ["requeued", "failed"]


async def test_a_job_its_workers_gave_back_was_not_lost(app: Application, rows: Rows) -> None:
    app.task(name="test.long", queue="test")(drain)
    await app.tasks["test.long"].defer_async()
    for _ in range(3):
        (job,) = await rows("select * from jobs.fetch(null, null, 'there:1')")
        await rows("select jobs.requeue(%s)", job["id"])
        await rows("update ops.run set finished_at = now(), outcome = 'aborted'")
    assert await lose(rows) == "requeued"
