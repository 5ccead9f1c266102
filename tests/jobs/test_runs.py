"""What ``ops.run`` says of jobs that ended one way or another."""

import asyncio
from dataclasses import dataclass

import pytest

from etl.engine import runs
from etl.errors import PlainError
from jobs.application import Application
from tests.jobs.conftest import Rows, drain, until, working


@dataclass
class Numbers:
    landed: int
    share: float


async def test_a_run_keeps_its_numbers(app: Application, rows: Rows) -> None:
    @app.task(name="test.count", queue="test")
    async def count(landed: int) -> Numbers:
        return Numbers(landed, 0.5)

    job_id = await count.defer_async(landed=7)
    await drain(app)

    (run,) = await rows("select *, finished_at >= started_at as ended from ops.run")
    assert (run["job_id"], run["task"], run["attempt"]) == (job_id, "test.count", 1)
    assert (run["outcome"], run["error"], run["ended"]) == ("succeeded", None, True)
    assert run["numbers"] == {"landed": 7, "share": 0.5}
    assert run["worker"] == runs.runner()
    (job,) = await rows("select status, attempts, ended_at is not null as ended from ops.job")
    assert job == {"status": "succeeded", "attempts": 1, "ended": True}


async def test_a_failure_is_a_sentence_and_no_more(app: Application, rows: Rows) -> None:
    @app.task(name="test.fail", queue="test")
    async def fail() -> None:
        raise PlainError("page 3 cannot be read") from ValueError("code 1234 has no title\0")

    @app.task(name="test.next", queue="test")
    async def next_one() -> None: ...

    await fail.defer_async()
    await next_one.defer_async()
    await drain(app)

    failed, succeeded = await rows("select outcome, error, numbers from ops.run order by run_id")
    assert failed["outcome"] == "failed"
    assert failed["error"] == (
        "PlainError: page 3 cannot be read; because of ValueError: code 1234 has no title\ufffd"
    )
    assert succeeded == {"outcome": "succeeded", "error": None, "numbers": None}
    assert [job["status"] for job in await rows("select status from ops.job order by job_id")] == [
        "failed",
        "succeeded",
    ]


async def test_a_task_nobody_knows_fails_with_its_name(app: Application, rows: Rows) -> None:
    await app.configure_task("test.unheard", queue="test").defer_async()
    await drain(app)
    (run,) = await rows("select outcome, error from ops.run")
    assert run["outcome"] == "failed"
    assert "test.unheard" in str(run["error"])


async def test_whatever_a_task_returns_can_be_kept(app: Application, rows: Rows) -> None:
    @app.task(name="test.odd", queue="test")
    async def odd() -> dict[str, object]:
        return {
            "nul\0": "a\0b",
            "lone": "\ud800",
            "nan": float("nan"),
            "big": 2**80,
            "list": (1, None, True),
            "other": PlainError("x"),
        }

    await odd.defer_async()
    await drain(app)
    (run,) = await rows("select outcome, numbers from ops.run")
    assert run == {
        "outcome": "succeeded",
        "numbers": {
            "nul\ufffd": "a\ufffdb",
            "lone": "?",
            "nan": None,
            "big": 2**80,
            "list": [1, None, True],
            "other": "x",
        },
    }


async def test_a_run_is_seen_while_it_runs_and_when_it_is_cancelled(
    app: Application, rows: Rows
) -> None:
    @app.task(name="test.long", queue="test")
    async def long() -> None:
        await asyncio.Event().wait()

    job_id = await long.defer_async()
    async with working(app):

        async def runs_now() -> bool:
            return bool(await rows("select 1 as there from ops.run"))

        await until(runs_now)
        (run,) = await rows("select finished_at, outcome from ops.run")
        assert run == {"finished_at": None, "outcome": None}
        (job,) = await rows(
            "select j.status, w.name = j.worker as known, w.running from ops.job as j"
            " join ops.worker as w on w.worker_id = j.worker_id"
        )
        assert job == {"status": "doing", "known": True, "running": 1}

        assert await rows("select ops.cancel(%s)", job_id) == [{"cancel": "abort requested"}]

        async def ended() -> bool:
            return bool(await rows("select 1 as there from ops.run where finished_at is not null"))

        await until(ended)
    (run,) = await rows("select outcome, error from ops.run")
    assert run == {"outcome": "aborted", "error": "aborted on request"}
    assert await rows("select status from ops.job") == [{"status": "aborted"}]


async def test_a_task_that_cancels_itself_is_not_run_for_ever(app: Application, rows: Rows) -> None:
    @app.task(name="test.cancels", queue="test")
    async def cancels() -> None:
        raise asyncio.CancelledError

    await cancels.defer_async()
    await drain(app)
    assert await rows("select status from ops.job") == [{"status": "aborted"}]
    assert await rows("select outcome, error from ops.run") == [
        {"outcome": "aborted", "error": "cancelled itself"}
    ]


async def test_a_task_with_its_own_retries_has_a_run_for_each(app: Application, rows: Rows) -> None:
    @app.task(name="test.flaky", queue="test", retry=1)
    async def flaky() -> None:
        raise ValueError("again")

    await flaky.defer_async()
    await drain(app)
    assert await rows("select attempt, outcome, error from ops.run order by run_id") == [
        {"attempt": 1, "outcome": "failed", "error": "ValueError: again"},
        {"attempt": 2, "outcome": "failed", "error": "ValueError: again"},
    ]


@pytest.mark.parametrize("error", [ExceptionGroup("both", [ValueError("a"), KeyError("b")])])
def test_a_group_names_its_members(error: ExceptionGroup[Exception]) -> None:
    assert "ValueError: a, KeyError: 'b'" in runs.sentence(error)


def test_an_endless_error_is_cut() -> None:
    assert len(runs.sentence(ValueError("x" * 10_000))) == runs.SENTENCE
