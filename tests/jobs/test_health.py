"""``etl worker --health``: whether a worker of this host lives."""

import socket

import pytest

from etl.settings import Settings
from tests.commands import run_etl, variables
from tests.jobs.conftest import Rows


async def beat(rows: Rows, name: str, host: str) -> None:
    await rows("select jobs.beat(null, %s, %s, 1, null, 1)", name, host)


@pytest.mark.parametrize("arguments", [[], ["--name", "busy"]])
async def test_health_follows_the_signs_of_life_of_this_host(
    settings: Settings, rows: Rows, arguments: list[str]
) -> None:
    env = variables(settings)
    await beat(rows, "busy", "elsewhere")
    none = run_etl("worker", "--health", *arguments, env=env)
    assert none.returncode == 1
    assert "start one with `etl worker`" in none.stderr

    await beat(rows, "busy", socket.gethostname())
    alive = run_etl("worker", "--health", *arguments, env=env)
    assert (alive.returncode, alive.stderr) == (0, "")
    assert "gave a sign of life" in alive.stdout

    await rows("update public.procrastinate_workers set last_heartbeat = now() - interval '31 s'")
    silent = run_etl("worker", "--health", *arguments, env=env)
    assert silent.returncode == 1
    assert "s old, more than 30" in silent.stderr


async def test_a_worker_of_another_name_is_none(settings: Settings, rows: Rows) -> None:
    await beat(rows, "busy", socket.gethostname())
    done = run_etl("worker", "--health", "--name", "lazy", env=variables(settings))
    assert done.returncode == 1
    assert "no worker lazy" in done.stderr


async def test_a_worker_refuses_functions_of_other_code(settings: Settings, rows: Rows) -> None:
    await rows("update engine.sql_object set hash = 'old' where path = 'engine/claim.sql'")
    done = run_etl("worker", env=variables(settings))
    assert done.returncode == 1
    assert "the database was not given sql/" in done.stderr
    assert done.stderr.endswith("as this code has it: run `etl migrate`\n")
