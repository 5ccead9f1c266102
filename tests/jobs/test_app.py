"""The app as others meet it: by import, and through procrastinate's own command."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import jobs
from etl.settings import Settings
from jobs.application import Application
from tests.commands import environment, variables
from tests.jobs.conftest import Rows

PROCRASTINATE = Path(sys.executable).with_name("procrastinate")


def procrastinate(settings: Settings, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [PROCRASTINATE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=cwd,
        env=environment({**variables(settings), "PROCRASTINATE_APP": "jobs.app"}),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_procrastinates_own_command_works_on_it(
    settings: Settings, tmp_path: Path, rows: Rows
) -> None:
    assert "Found procrastinate_jobs table: OK" in procrastinate(
        settings, "healthchecks", cwd=tmp_path
    )
    procrastinate(settings, "defer", "maintenance.rescue", cwd=tmp_path)
    assert "maintenance.rescue" in procrastinate(settings, "shell", "list_tasks", cwd=tmp_path)
    procrastinate(settings, "worker", "--one-shot", "--queues", "maintenance", cwd=tmp_path)
    assert await rows("select outcome, numbers from ops.run where task = 'maintenance.rescue'") == [
        {"outcome": "succeeded", "numbers": {}}
    ]


def test_importing_it_needs_no_server(tmp_path: Path) -> None:
    code = "import jobs; jobs.app.perform_import_paths(); assert 'fortnite.ccu' in jobs.app.tasks"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        timeout=60,
        cwd=tmp_path,
        env=environment({"ETL_HOME": str(tmp_path)}),
    )


async def test_it_can_be_used_without_an_event_loop(app: Application, rows: Rows) -> None:
    with Application([]).open() as opened:
        opened.configure_task("test.sync", queue="test").defer()
    assert await rows("select task from ops.job") == [{"task": "test.sync"}]


def test_every_tick_is_kept_apart_and_left_to_the_next() -> None:
    for path in jobs.app.import_paths:
        import_module(path)
    periodic = {
        each.task.name: each.task for each in jobs.app.periodic_registry.periodic_tasks.values()
    }
    assert set(periodic) == {
        "fortnite.catalogue",
        "fortnite.ccu",
        "fortnite.classify",
        "fortnite.discovery",
        "fortnite.creator",
        "fortnite.creator_daily",
        "fortnite.creator_now",
        "fortnite.island",
        "fortnite.metrics",
        "fortnite.performance",
        "fortnite.placement_daily",
        "fortnite.rollup",
        "maintenance.rescue",
        "maintenance.retention",
        "search.rebuild",
        "search.reconcile",
        "search.sync",
    }
    for name, task in periodic.items():
        assert task.queueing_lock == name
        assert task.lock == (None if name == "maintenance.rescue" else name)
        assert task.retry_strategy is None
        assert (task.func.__doc__ or "").strip()
