"""``etl retention``: what would go, in a table and as JSON, and that it goes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.cli.conftest import Etl

# Past the days that samples and rejected items are kept, and well within those of hours.
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=120)
PARTITION = f"series.fortnite_ccu_{DAY:%Y%m%d}"
OLD = f"""
select engine.make_room('fortnite.ccu', '{DAY}');
insert into fortnite.ccu values
  ('{DAY + timedelta(hours=10)}', 1, 7), ('{DAY + timedelta(hours=10, minutes=10)}', 1, 9);
insert into raw.rejected (resource, fetched_at, reason, rejected_at) values ('x', now(), 'y', '{DAY}');
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
    assert PARTITION in shown
    assert "3 rows and" in shown
    assert "nothing was changed" in shown
    going = json.loads(etl("retention", "--dry-run", "--json", env=env).out)
    (size,) = conn.execute("select pg_total_relation_size(%s)", [PARTITION]).fetchone() or (0,)
    assert going == [
        {
            "relation": "fortnite.ccu",
            "how": "drop",
            "partition": PARTITION,
            "starts_at": DAY.isoformat(),
            "ends_at": (DAY + timedelta(days=1)).isoformat(),
            "rows": 2,
            "bytes": size,
        },
        {
            "relation": "raw.rejected",
            "how": "delete",
            "partition": None,
            "starts_at": DAY.isoformat(),
            "ends_at": DAY.isoformat(),
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


def test_analysts_see_how_long_each_is_kept(
    etl: Etl, database_url: str, conn: psycopg.Connection
) -> None:
    assert etl("retention", env={"ETL_DATABASE_URL": database_url}).status == 0
    with conn.transaction():
        conn.execute("set local role etl_analyst")
        kept = conn.execute("select relation, kept_days from ops.retention").fetchall()
    assert ("fortnite.ccu", 90) in kept
    assert ("fortnite.ccu_daily", None) in kept
