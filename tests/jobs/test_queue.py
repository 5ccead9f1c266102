"""Queueing, pausing, cancelling and retrying in SQL, and who gets which job."""

import asyncio
import json
from collections import Counter

import psycopg
import pytest
from procrastinate.types import JSONDict

from jobs.application import Application
from tests.jobs.conftest import Rows, drain, until, working


@pytest.fixture
def done(app: Application) -> list[str]:
    """Marks that the tasks test.mark (no locks) and test.alone (both locks) leave."""
    marks: list[str] = []

    @app.task(name="test.mark", queue="marks")
    async def mark(text: str = "mark") -> None:
        marks.append(text)

    @app.task(name="test.alone", queue="alone", lock="alone", queueing_lock="alone")
    async def alone(text: str = "alone") -> None:
        marks.append(text)

    return marks


@pytest.fixture
async def declared(app: Application, done: list[str]) -> list[str]:
    """The marks, once a worker has made the tasks known to the database."""
    await drain(app)
    return done


async def test_what_is_queued_in_sql_runs(
    app: Application, rows: Rows, declared: list[str]
) -> None:
    await rows("select ops.enqueue('test.mark', %s::jsonb)", json.dumps({"text": "one"}))
    await rows("select ops.enqueue('test.mark', '{\"text\": \"later\"}', now() + interval '1 day')")
    await drain(app)
    assert declared == ["one"]
    assert await rows("select task, waiting, last_outcome from ops.schedule order by task") == [
        {"task": "test.alone", "waiting": 0, "last_outcome": None},
        {"task": "test.mark", "waiting": 1, "last_outcome": "succeeded"},
    ]


async def test_where_one_may_wait_the_same_one_is_given(
    app: Application, rows: Rows, declared: list[str]
) -> None:
    assert await rows("select ops.enqueue('test.alone')") == await rows(
        "select ops.enqueue('test.alone')"
    )
    await drain(app)
    assert declared == ["alone"]


async def test_an_unknown_task_is_refused_with_what_to_do(rows: Rows, declared: list[str]) -> None:
    with pytest.raises(
        psycopg.errors.UndefinedObject, match=r"no task is named test\.typo"
    ) as said:
        await rows("select ops.enqueue('test.typo')")
    assert "ops.schedule" in str(said.value.diag.message_hint)
    with pytest.raises(psycopg.errors.UndefinedObject, match="no task or queue is named typo"):
        await rows("select ops.pause('typo')")
    with pytest.raises(psycopg.errors.UndefinedObject, match="no task or queue is named typo"):
        await rows("select ops.resume('typo')")


async def test_a_task_that_was_taken_out_while_paused_can_be_resumed(
    rows: Rows, declared: list[str]
) -> None:
    await rows("select ops.pause('test.mark')")
    await rows("delete from jobs.task")
    assert await rows("select ops.resume('test.mark')") == [{"resume": True}]


@pytest.mark.parametrize("name", ["test.mark", "marks"])
async def test_what_is_paused_waits_and_the_rest_goes_on(
    app: Application, rows: Rows, declared: list[str], name: str
) -> None:
    await rows("select ops.pause(%s, 'upstream asked us to')", name)
    (first,) = await rows("select ops.enqueue('test.mark') as job_id")
    await rows("select ops.enqueue('test.alone')")
    await drain(app)
    assert declared == ["alone"]
    assert await rows("select paused, status from ops.job where job_id = %s", first["job_id"]) == [
        {"paused": True, "status": "todo"}
    ]
    (shown,) = await rows(
        "select pause_reason, paused_at is not null as paused from ops.schedule where task = 'test.mark'"
    )
    assert shown == {"pause_reason": "upstream asked us to", "paused": True}

    assert await rows("select ops.resume(%s)", name) == [{"resume": True}]
    assert await rows("select ops.resume(%s)", name) == [{"resume": False}]
    await drain(app)
    assert declared == ["alone", "mark"]


async def test_a_pause_takes_effect_on_a_running_worker(
    app: Application, rows: Rows, declared: list[str]
) -> None:
    async with working(app):
        await rows("select ops.pause('marks')")
        await rows("select ops.enqueue('test.mark')")
        await rows("select ops.enqueue('test.alone')")

        async def alone_ran() -> bool:
            return "alone" in declared

        await until(alone_ran)
        assert declared == ["alone"]
        await rows("select ops.resume('marks')")

        async def mark_ran() -> bool:
            return "mark" in declared

        await until(mark_ran)


async def test_cancelled_before_it_ran(app: Application, rows: Rows, declared: list[str]) -> None:
    (job,) = await rows("select ops.enqueue('test.mark') as id")
    assert await rows("select ops.cancel(%s)", job["id"]) == [{"cancel": "cancelled"}]
    await drain(app)
    assert declared == []
    with pytest.raises(
        psycopg.errors.ObjectNotInPrerequisiteState, match="it is cancelled already"
    ):
        await rows("select ops.cancel(%s)", job["id"])
    with pytest.raises(psycopg.errors.NoDataFound, match="there is no job 0"):
        await rows("select ops.cancel(0)")


async def test_retried_after_it_ended(app: Application, rows: Rows, declared: list[str]) -> None:
    (job,) = await rows("select ops.enqueue('test.alone') as id")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="it is todo still"):
        await rows("select ops.retry(%s)", job["id"])
    await rows("select ops.cancel(%s)", job["id"])
    await rows("select ops.retry(%s)", job["id"])
    await drain(app)
    assert declared == ["alone"]

    await rows("select ops.enqueue('test.alone')")
    with pytest.raises(
        psycopg.errors.ObjectNotInPrerequisiteState,
        match=r"another job of test\.alone waits already",
    ):
        await rows("select ops.retry(%s)", job["id"])


async def test_operators_act_through_ops_alone(
    app: Application, conn: psycopg.AsyncConnection, rows: Rows, declared: list[str]
) -> None:
    await conn.execute("set role etl_operator")
    await rows("select ops.pause('marks')")
    await rows("select ops.resume('marks')")
    (job,) = await rows("select ops.enqueue('test.mark') as id")
    await rows("select ops.cancel(%s)", job["id"])
    await rows("select ops.retry(%s)", job["id"])
    for view in ("job", "queue", "worker", "schedule", "run"):
        await rows(f"select * from ops.{view}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await rows("delete from public.procrastinate_jobs")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await rows("select * from jobs.rescue('1 second', 1)")


def counted(n: int) -> list[JSONDict]:
    return [{"i": i} for i in range(n)]


async def test_every_job_runs_once_however_many_workers(app: Application, rows: Rows) -> None:
    ran: Counter[int] = Counter()

    @app.task(name="test.number", queue="test")
    async def number(i: int) -> None:
        ran[i] += 1

    await number.batch_defer_async(*counted(100))
    await asyncio.gather(*(drain(app, concurrency=5) for _ in range(3)))
    assert ran == Counter(range(100))
    assert await rows(
        "select outcome, count(*) as runs, count(distinct job_id) as jobs from ops.run group by outcome"
    ) == [{"outcome": "succeeded", "runs": 100, "jobs": 100}]


async def test_jobs_with_one_lock_never_run_at_once(app: Application) -> None:
    now, most, order = 0, 0, []

    @app.task(name="test.locked", queue="test", lock="one")
    async def locked(i: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        order.append(i)
        now -= 1

    await locked.batch_defer_async(*counted(8))
    async with working(app):

        async def all_ran() -> bool:
            return len(order) == 8

        await until(all_ran)
    assert most == 1
    assert order == list(range(8))


async def test_the_higher_priority_goes_first(app: Application, done: list[str]) -> None:
    mark = app.tasks["test.mark"]
    await mark.configure(priority=-1).defer_async(text="low")
    await mark.configure(priority=5).defer_async(text="high")
    await mark.defer_async(text="plain")
    await drain(app)
    assert done == ["high", "plain", "low"]


async def test_only_the_queues_asked_for(app: Application, rows: Rows, done: list[str]) -> None:
    await app.tasks["test.mark"].defer_async()
    await app.tasks["test.alone"].defer_async()
    await app.run_worker_async(
        wait=False, queues=["alone"], install_signal_handlers=False, listen_notify=False
    )
    assert done == ["alone"]
    assert await rows(
        "select queue, waiting, oldest_job_id is null as empty from ops.queue order by queue"
    ) == [
        {"queue": "alone", "waiting": 0, "empty": True},
        {"queue": "marks", "waiting": 1, "empty": False},
    ]
