"""That marks are leased and settled by reading their own rows, however the table grew meanwhile."""

from typing import LiteralString

import pytest

from etl.engine.database import Connection, Database

ROUNDS = 1_000
MOST = 20
READ = """
select coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) as n
from pg_stat_xact_user_tables where relid = 'search.dirty'::regclass
"""
MARK = "select search.mark('island', %s)"
LEASE = "select ids, marks from search.lease('island', 2, interval '1 minute')"
SETTLE = "select search.settle('island', %s, %s) as done"


async def one_row(conn: Connection, query: LiteralString, *given: object) -> dict[str, object]:
    row = await (await conn.execute(query, given)).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("vacuumed", [False, True])
async def test_a_plan_made_for_an_empty_table_holds_when_it_has_grown(
    db: Database, *, vacuumed: bool
) -> None:
    """A session keeps its plans: those of its first batch must do for the last."""
    if vacuumed:
        await db.execute("vacuum analyze search.dirty")
    async with db.connection() as conn:
        for number in range(ROUNDS):
            for marked in ("first", "second", "waits"):
                await conn.execute(MARK, [[f"{marked}-{number}"]])
            for step in ("lease", "settle"):
                async with conn.transaction():
                    before = await one_row(conn, READ)
                    if step == "lease":
                        taken = await one_row(conn, LEASE)
                        assert taken["ids"] is not None
                    else:
                        done = await one_row(conn, SETTLE, taken["ids"], taken["marks"])
                        assert done["done"] == 2
                    after = await one_row(conn, READ)
                assert int(str(after["n"])) - int(str(before["n"])) < MOST, (step, number)
