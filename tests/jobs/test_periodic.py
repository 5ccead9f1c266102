"""Ticks: apart from each other, never a flood, and none lost with the worker that was away."""

import asyncio
import time

from procrastinate.periodic import PeriodicDeferrer

from jobs.application import Application
from jobs.tools import Tools
from tests.jobs.conftest import Rows, drain, until, working


async def test_ticks_of_a_slow_task_never_overlap(app: Application, rows: Rows) -> None:
    now, most, ran = 0, 0, 0

    @app.every("* * * * * *", "test.slow", queue="test")
    async def slow(_: Tools) -> None:
        nonlocal now, most, ran
        now += 1
        most = max(most, now)
        await asyncio.sleep(1.5)
        ran += 1
        now -= 1

    async with working(app):

        async def ran_twice() -> bool:
            (job,) = await rows("select count(*) from ops.job where status = 'todo'")
            assert int(str(job["count"])) <= 1
            return ran == 2

        await until(ran_twice)
    assert most == 1


async def test_missed_ticks_are_one_job(app: Application, rows: Rows) -> None:
    @app.periodic(cron="* * * * *")
    @app.task(name="test.tick", queue="test")  # no locks: nothing else holds a flood back
    async def tick(timestamp: int) -> None: ...

    deferrer = PeriodicDeferrer(app.periodic_registry)
    now = time.time()
    await deferrer.defer_jobs(deferrer.get_previous_tasks(at=now - 3600))
    await deferrer.defer_jobs(deferrer.get_previous_tasks(at=now))

    (job,) = await rows(
        "select count(*), max((arguments ->> 'timestamp')::int) as tick from ops.job"
    )
    assert job == {"count": 1, "tick": int(now) // 60 * 60}


async def test_what_fell_due_without_a_worker_is_done_by_the_next_once(
    app: Application, rows: Rows
) -> None:
    ran: list[Tools] = []

    @app.every("0 0 * * *", "test.daily", queue="test")
    async def daily(tools: Tools) -> dict[str, int]:
        """What is done once a day.

        And more about it.
        """
        ran.append(tools)
        return {"days": 1}

    for _ in range(2):
        async with working(app):

            async def ran_once() -> bool:
                return bool(
                    await rows("select 1 as there from ops.run where finished_at is not null")
                )

            await until(ran_once)
    assert len(ran) == 1
    assert ran[0].settings.database_url is not None
    assert await rows("select cron, about, last_numbers from ops.schedule") == [
        {"cron": "0 0 * * *", "about": "What is done once a day.", "last_numbers": {"days": 1}}
    ]


async def test_a_failed_tick_is_left_to_the_next(app: Application, rows: Rows) -> None:
    @app.every("0 0 * * *", "test.fails", queue="test")
    async def fails(_: Tools) -> None:
        raise ValueError("not today")

    await drain(app)  # today's tick, unless it is put off for the next drain
    before = len(await rows("select run_id from ops.run"))
    await app.tasks["test.fails"].defer_async()  # its locks are free again
    await drain(app)
    failed = await rows("select run_id from ops.run where outcome = 'failed'")
    assert len(failed) > before
    assert await rows("select distinct status from ops.job") == [{"status": "failed"}]


async def test_tasks_that_are_gone_leave_the_schedule(app: Application, rows: Rows) -> None:
    await rows(
        'select jobs.declare(\'[{"name": "test.gone", "queue": "q", "priority": 0, "about": ""}]\')'
    )

    @app.every("0 0 * * *", "test.here", queue="test")
    async def here(_: Tools) -> None: ...

    await drain(app)
    assert await rows("select task from ops.schedule") == [{"task": "test.here"}]
