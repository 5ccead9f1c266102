"""``etl search`` as an operator runs it."""

import json
from typing import Any

import pytest

from etl.search.indices import INDICES
from tests.commands import run_etl, variables
from tests.search.world import World


async def test_sync_drains_and_says_what_it_did(world: World) -> None:
    await world.island("1", "2")
    await world.change("published_at = 'infinity'", "2")
    done = run_etl("search", "sync", "--json", env=variables(world.settings))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"sent": 1, "deleted": 0, "rejected": 1, "restored": False}
    assert set(await world.found()) == {"1"}


async def test_status_tells_what_waits_and_what_is_there(world: World) -> None:
    variables_ = variables(world.settings)
    await world.island("1", "2")
    (before,) = _islands(run_etl("search", "status", "--json", env=variables_).stdout)
    assert (before["documents"], before["pending"], before["live"]) == (None, 2, None)
    assert run_etl("search", "sync", env=variables_).stdout == "2 sent, 0 deleted, 0 rejected\n"
    (after,) = _islands(run_etl("search", "status", "--json", env=variables_).stdout)
    await world.es.indices.refresh(index=f"{world.settings.search_prefix}island")
    assert (after["pending"], after["lag_s"], after["rejected"]) == (0, 0, 0)
    assert after["live"].startswith(f"{world.settings.search_prefix}island-")


def _islands(said: str) -> list[dict[str, Any]]:
    rows = json.loads(said)
    assert [row["index"] for row in rows] == list(INDICES)
    return [row for row in rows if row["index"] == "island"]


@pytest.mark.parametrize("command", ["sync", "status"])
async def test_elasticsearch_away_is_one_sentence(world: World, command: str) -> None:
    env = variables(world.settings) | {"ETL_ELASTICSEARCH_URL": "http://127.0.0.1:9"}
    done = run_etl("search", command, env=env)
    assert done.returncode == 1
    assert "ETL_ELASTICSEARCH_URL" in done.stderr
    assert "Traceback" not in done.stderr


async def test_what_waits_is_told_while_elasticsearch_is_away(world: World) -> None:
    await world.island("1", "2")
    env = variables(world.settings) | {"ETL_ELASTICSEARCH_URL": "http://127.0.0.1:9"}
    done = run_etl("search", "status", "--json", env=env)
    (island,) = _islands(done.stdout)
    assert (done.returncode, island["pending"], island["documents"]) == (1, 2, None)
    shown = run_etl("search", "status", env=env)
    assert "│ island" in shown.stdout
    assert "none" not in shown.stdout
