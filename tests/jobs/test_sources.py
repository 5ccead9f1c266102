"""A source that is off says so in the numbers of its job, and nothing of it is asked."""

import pytest

import etl.settings
from jobs import fortnite
from jobs.tools import open_tools


@pytest.mark.usefixtures("app")
async def test_a_source_that_is_off_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_FORTNITE_SOURCES", "metrics,links")
    monkeypatch.setenv("ETL_FORTNITE_DATA_URL", "http://127.0.0.1:9/")
    etl.settings.settings.cache_clear()
    async with open_tools(etl.settings.settings()) as tools:
        left_out = {"off": "ETL_FORTNITE_SOURCES leaves it out"}
        assert await fortnite.catalogue(tools) == left_out
        assert await fortnite.ccu(tools) == left_out
        said = await fortnite.island(tools)
        assert isinstance(said, dict)
        assert "ETL_FORTNITE_CLIENT_ID" in said["off"]
        on = await fortnite.metrics(tools)
    assert not isinstance(on, dict)
