"""``etl retention``: what would go, in a table and as JSON, and that it goes."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from tests.cli.conftest import Etl

OLD = """
select engine.make_room('fortnite.ccu', '2026-01-05 00:00+00');
insert into fortnite.ccu values ('2026-01-05 10:00+00', 1, 7), ('2026-01-05 10:10+00', 1, 9);
insert into raw.rejected (resource, fetched_at, reason, rejected_at) values ('x', now(), 'y', '2026-01-02 03:04+00');
"""


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


def test_what_would_go_is_said_and_then_goes(
    etl: Etl, database_url: str, conn: psycopg.Connection
) -> None:
    env = {"ETL_DATABASE_URL": database_url, "COLUMNS": "200"}
    assert etl("retention", "--dry-run", env=env).out == "Nothing would go\n"
    conn.execute(OLD)
    shown = etl("retention", "--dry-run", env=env).out
    assert "series.fortnite_ccu_20260105" in shown
    assert "3 rows and" in shown
    assert "nothing was changed" in shown
    going = json.loads(etl("retention", "--dry-run", "--json", env=env).out)
    (size,) = conn.execute(
        "select pg_total_relation_size('series.fortnite_ccu_20260105')"
    ).fetchone() or (0,)
    assert going == [
        {
            "relation": "fortnite.ccu",
            "how": "drop",
            "partition": "series.fortnite_ccu_20260105",
            "starts_at": "2026-01-05T00:00:00+00:00",
            "ends_at": "2026-01-06T00:00:00+00:00",
            "rows": 2,
            "bytes": size,
        },
        {
            "relation": "raw.rejected",
            "how": "delete",
            "partition": None,
            "starts_at": "2026-01-02T03:04:00+00:00",
            "ends_at": "2026-01-02T03:04:00+00:00",
            "rows": 1,
            "bytes": None,
        },
    ]
    longer = env | {"ETL_CCU_RETENTION_DAYS": "3650", "ETL_CCU_HOURLY_RETENTION_DAYS": "3650"}
    assert "fortnite.ccu" not in etl("retention", "--dry-run", env=longer).out

    done = etl("retention", env=env).out
    assert "1 partitions dropped" in done
    assert "1 rows deleted from raw.rejected" in done
    assert etl("retention", "--dry-run", env=env).out == "Nothing would go\n"
    assert conn.execute("select samples, peak from fortnite.ccu_daily").fetchall() == [(2, 9)]
    assert json.loads(etl("retention", "--json", env=env).out)["partitions_dropped"] == 0
    with conn.transaction():
        conn.execute("set local role etl_analyst")
        kept = conn.execute("select relation, kept_days from ops.retention").fetchall()
    assert ("fortnite.ccu", 90) in kept
    assert ("fortnite.ccu_daily", None) in kept
