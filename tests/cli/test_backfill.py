"""``etl backfill`` as a user sees it."""

import json
from pathlib import Path

import psycopg

from tests.cli.conftest import Etl

FILE = "code,time,players\na,2026-03-01T00:00Z,5\na,2026-03-01T09:10Z,7\nb,soon,1\n"


def test_a_file_is_rehearsed_landed_and_not_landed_again(
    etl: Etl, database_url: str, tmp_path: Path
) -> None:
    env = {"ETL_DATABASE_URL": database_url}
    file = tmp_path / "[past].csv"
    file.write_text(FILE)
    done = etl("backfill", "ccu", str(file), "--dry-run", env=env)
    assert (done.status, "not written" in done.out) == (0, True)
    assert "[past].csv line 4: its instant is none: 'soon'" in done.out
    assert json.loads(etl("backfill", "status", "--json", env=env).out) == []

    (landed,) = json.loads(etl("backfill", "ccu", str(file), "--json", env=env).out)
    told = (landed[name] for name in ("lines", "stored", "rejected", "discovered", "already"))
    assert tuple(told) == (4, 2, 1, 1, False)
    with psycopg.connect(database_url) as conn:
        hours = conn.execute("select ccu_sum, samples from fortnite.ccu_hourly_store").fetchall()
    assert hours == [(5, 1)]  # rolled up when the command ends
    assert "landed before" in etl("backfill", "ccu", str(file), env=env).out
    assert "[past].csv" in etl("backfill", "status", env=env).out
    assert "line 4: its instant" in etl("rejected", "fortnite.ccu", "--json", env=env).out


def test_what_cannot_be_read_is_told_in_a_sentence(
    etl: Etl, database_url: str, tmp_path: Path
) -> None:
    done = etl("backfill", "ccu", str(tmp_path / "x.csv"), env={"ETL_DATABASE_URL": database_url})
    assert done.status == 1
    assert "x.csv: No such file or directory" in done.err
    assert "Traceback" not in done.err
