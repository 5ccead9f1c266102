"""Refused documents tried again: by the command, and by an operator in SQL."""

import json

import psycopg
import pytest

from etl.settings import Settings
from tests.commands import run_etl, variables

REFUSED = """
insert into search.rejected (index, id, reason)
select 'island', i::text, 'no date' from generate_series(1, %s) as i
"""


async def test_every_refused_document_is_marked_by_one_command(
    settings: Settings, conn: psycopg.AsyncConnection
) -> None:
    await conn.execute(REFUSED, [5_001])
    done = run_etl("search", "retry", "--json", env=variables(settings))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"creator": 0, "island": 5_001, "placement": 0}
    found = await conn.execute("select pending, rejected from ops.search_lag")
    assert await found.fetchall() == [(5_001, 0)]
    again = run_etl("search", "retry", "island", env=variables(settings))
    assert again.stdout == "island: 0 marked; the next sync sends them\n"


async def test_an_index_that_is_none_is_refused(settings: Settings) -> None:
    done = run_etl("search", "retry", "typo", env=variables(settings))
    assert done.returncode == 1
    assert "there is no index 'typo'; there are creator, island, placement" in done.stderr


async def test_operators_may_and_a_transaction_marks_no_more_than_it_should(
    conn: psycopg.AsyncConnection,
) -> None:
    await conn.execute(REFUSED, [3])
    await conn.execute("set role etl_operator")
    found = await conn.execute("select ops.retry_rejected('island', 2)")
    assert await found.fetchone() == (2,)
    with pytest.raises(
        psycopg.errors.InvalidParameterValue, match="p_n is 5001, must be 1 to 5000"
    ):
        await conn.execute("select ops.retry_rejected('island', 5001)")


async def test_operators_are_told_which_indices_there_are(conn: psycopg.AsyncConnection) -> None:
    await conn.execute("set role etl_operator")
    found = await conn.execute("select ops.retry_rejected('island')")
    assert await found.fetchone() == (0,)
    for name in ("islands", None):
        with pytest.raises(psycopg.errors.UndefinedObject, match="there is no index") as said:
            await conn.execute("select ops.retry_rejected(%s)", [name])
        assert said.value.diag.message_hint == "There are creator, island, placement."
