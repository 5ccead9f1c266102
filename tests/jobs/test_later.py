"""Jobs for a later instant: they hold up neither the ticks nor what is wanted now."""

import pytest
from procrastinate.exceptions import AlreadyEnqueued

from jobs.application import Application
from jobs.tools import Tools
from tests.jobs.conftest import Rows, drain, until, working

LATER = "select ops.enqueue('test.alone', '{}', now() + interval '1 hour') as id"
NOW = "select ops.enqueue('test.alone') as id"


@pytest.fixture
async def ran(app: Application) -> list[str]:
    """What test.alone (both locks) leaves when it runs; the database knows the task."""
    marks: list[str] = []

    @app.task(name="test.alone", queue="test", lock="alone", queueing_lock="alone")
    async def alone() -> None:
        marks.append("ran")

    await drain(app)
    return marks


async def waiting(rows: Rows) -> list[object]:
    """The jobs that wait."""
    return [row["job_id"] for row in await rows("select job_id from ops.job where status = 'todo'")]


async def test_ticks_go_on_while_one_waits_for_later(app: Application, rows: Rows) -> None:
    ticks = 0

    @app.every("* * * * * *", "test.alone", queue="test")
    async def alone(_: Tools) -> None:
        nonlocal ticks
        ticks += 1

    async with working(app):

        async def declared() -> bool:
            return bool(await rows("select task from ops.schedule"))

        await until(declared)
        (later,) = await rows(LATER)
        before = ticks

        async def ticked() -> bool:
            return ticks >= before + 3

        await until(ticked)
    assert later["id"] in await waiting(rows)


async def test_now_means_now_whatever_waits_for_later(
    app: Application, rows: Rows, ran: list[str]
) -> None:
    (later,) = await rows(LATER)
    (now,) = await rows(NOW)
    assert now["id"] != later["id"]
    assert await rows(NOW) == [now]
    await drain(app)
    assert ran == ["ran"]
    assert await waiting(rows) == [later["id"]]


async def test_what_was_for_later_runs_when_its_time_has_come(
    app: Application, rows: Rows, ran: list[str]
) -> None:
    await rows(LATER)
    await rows("update public.procrastinate_jobs set scheduled_at = now() - interval '1 second'")
    await rows(NOW)
    await drain(app)
    assert ran == ["ran", "ran"]


async def test_an_instant_that_has_passed_is_now(
    app: Application, rows: Rows, ran: list[str]
) -> None:
    past = "select ops.enqueue('test.alone', '{}', now() - interval '1 hour') as id"
    assert await rows(past) == await rows(NOW)
    await drain(app)
    assert ran == ["ran"]


async def test_one_that_is_the_only_one_allowed_to_wait_is_brought_forward(
    app: Application, rows: Rows, ran: list[str]
) -> None:
    (later,) = await rows(LATER)
    # what a retry of the queue leaves, or an older version left
    await rows("update public.procrastinate_jobs set queueing_lock = 'alone'")
    assert await rows(NOW) == [later]
    assert await rows("select scheduled_at from ops.job") == [{"scheduled_at": None}]
    await drain(app)
    assert ran == ["ran"]


async def test_procrastinates_own_call_for_later_holds_up_nothing_either(
    app: Application, rows: Rows, ran: list[str]
) -> None:
    alone = app.tasks["test.alone"]
    later = [await alone.configure(schedule_in={"hours": 1}).defer_async()]
    with Application([]).open() as opened:
        again = opened.configure_task(
            "test.alone",
            queue="test",
            lock="alone",
            queueing_lock="alone",
            schedule_in={"hours": 1},
        )
        later.append(again.defer())
    await alone.defer_async()
    with pytest.raises(AlreadyEnqueued):
        await alone.defer_async()
    await drain(app)
    assert ran == ["ran"]
    assert await waiting(rows) == later
