"""``etl migrate`` and ``etl dictionary``."""

import json
from pathlib import Path

from tests.cli.conftest import Etl


def test_migrate_as_json_and_as_text(etl: Etl, database_url: str, tmp_path: Path) -> None:
    env = {"ETL_HOME": str(tmp_path / "home"), "ETL_DATABASE_URL": database_url}
    done = etl("migrate", "--json", env=env)
    assert done.status == 0
    found = json.loads(done.out)
    assert found.pop("seconds") > 0
    revision, foundation = found.pop("revision"), found.pop("foundation")
    assert foundation in ("plain", "timescale")
    assert found == {"migrations": [], "applied": [], "dropped": [], "notices": []}
    done = etl("migrate", env=env)
    assert (done.status, done.out) == (
        0,
        f"Nothing to do: the tables are at revision {revision}\n",
    )


def test_a_refusal_is_one_sentence(etl: Etl, database_url: str, tmp_path: Path) -> None:
    other = "timescale" if "plain" in _foundation(etl, database_url, tmp_path) else "plain"
    done = etl(
        "migrate",
        env={
            "ETL_HOME": str(tmp_path / "home"),
            "ETL_DATABASE_URL": database_url,
            "ETL_TIMESERIES": other,
        },
    )
    assert done.status == 1
    assert done.err.startswith(f"etl: ETL_TIMESERIES is {other}, but since its first migrate")
    assert "Traceback" not in done.err


def _foundation(etl: Etl, url: str, folder: Path) -> str:
    env = {"ETL_HOME": str(folder / "home"), "ETL_DATABASE_URL": url}
    return str(json.loads(etl("migrate", "--json", env=env).out)["foundation"])


def test_dictionary(etl: Etl, database_url: str) -> None:
    done = etl("dictionary", env={"ETL_DATABASE_URL": database_url})
    assert done.status == 0
    assert done.out.startswith("# Data dictionary\n")
    assert "\n### fortnite.island\n" in done.out
