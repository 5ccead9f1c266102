"""That marks are leased with a slice and settled by reading their own rows, however the table grew meanwhile."""

from typing import LiteralString

import pytest

from etl.engine.database import Connection, Database

BATCH, ROUNDS = 200, 20
READ = """
select coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) as n
from pg_stat_xact_user_tables where relid = 'search.dirty'::regclass
"""
MARK = "select search.mark('island', %s)"
LEASE = "select ids, marks from search.lease_marked('island', %s, interval '1 minute')"
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
        for first in range(0, BATCH * ROUNDS, BATCH):
            ids = [f"{number:05}" for number in range(first, first + BATCH)]
            for marked in (ids, [f"{key}-waits" for key in ids]):
                await conn.execute(MARK, [marked])
            for step in ("lease", "settle"):
                async with conn.transaction():
                    before = await one_row(conn, READ)
                    if step == "lease":
                        taken = await one_row(conn, LEASE, ids)
                        assert taken["ids"] is not None
                    else:
                        done = await one_row(conn, SETTLE, taken["ids"], taken["marks"])
                        assert done["done"] == BATCH
                    after = await one_row(conn, READ)
                assert int(str(after["n"])) - int(str(before["n"])) < 3 * BATCH, (step, first)
