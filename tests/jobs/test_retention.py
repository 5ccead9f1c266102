"""What the retention job deletes of what could not be landed."""

import pytest

import etl.settings
from etl.engine import ages
from jobs import maintenance
from jobs.tools import open_tools
from tests.jobs.conftest import Rows


@pytest.mark.usefixtures("app")
async def test_what_was_set_aside_is_kept_for_an_age(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETL_REJECTED_RETENTION_DAYS", "7")
    monkeypatch.setattr(ages, "ROWS", 2)
    etl.settings.settings.cache_clear()
    # A sample of last year that came yesterday is young.
    await rows(
        "insert into raw.rejected (resource, key, fetched_at, reason, rejected_at)"
        " select 'x', i::text, now() - interval '1 year', 'why', now() - i * interval '1 day'"
        " from generate_series(4, 12) as i"
    )
    async with open_tools(etl.settings.settings()) as tools:
        numbers = await maintenance.retention(tools)
    assert isinstance(numbers, dict)
    assert numbers["raw.rejected"] == 6
    assert [row["key"] for row in await rows("select key from ops.rejected order by 1")] == [
        "4",
        "5",
        "6",
    ]
