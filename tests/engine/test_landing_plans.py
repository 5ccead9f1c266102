"""That landing and ending a batch read the rows of the batch alone, whatever the statistics say."""

from dataclasses import replace
from typing import LiteralString

import pytest

from etl.engine.arrays import TextArray
from etl.engine.crawl import Lease, claim
from etl.engine.database import Database
from etl.engine.items import Resource
from etl.engine.landing import LAND, Target, parameters, prepare
from etl.settings import Settings
from tests.engine.support import Conn, at, thing

ENTITIES, BATCH = 4_000, 400
READ = """
select coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) as n
from pg_stat_xact_user_tables where relid = 'engine.crawl'::regclass
"""
ENDS: dict[str, LiteralString] = {
    "failed": "select engine.settle_failed(%s, %s, 3, %s, %s)",
    "released": "select engine.release(%s, %s, %s) from (values (%s)) as unused",
    "abandoned": "select engine.abandon(%s, %s, %s) from (values (%s)) as unused",
}


def landing(resource: Resource, lease: Lease, *, same: bool) -> list[object]:
    bodies = [thing(key) for key in lease.claims]
    batch = prepare(resource, bodies, dict.fromkeys(lease.claims))
    hashes = {ready.key: ready.hash for ready in batch.changed}
    target = Target(resource, lease, at(0), 3)
    return parameters(target, [] if same else batch.changed, hashes if same else {})


def ending(resource: Resource, lease: Lease) -> list[object]:
    keys = TextArray.of(sorted(lease.claims))
    return [resource.name, lease.token, keys, keys]


@pytest.mark.parametrize("how", ["landed", "unchanged", *ENDS])
async def test_it_reads_no_rows_but_its_own(
    db: Database, conn: Conn, things: Resource, how: str
) -> None:
    keys = [f"{number:04}" for number in range(ENTITIES)]
    await conn.execute("select engine.discover('probe.thing', %s)", [keys])
    many = replace(things, batch=BATCH)
    # Statistics that know one lease: of the next one they expect a row at most.
    assert await claim(db, many, BATCH, Settings()) is not None
    await conn.execute("vacuum analyze engine.crawl")
    lease = await claim(db, many, BATCH, Settings())
    assert lease is not None
    query = ENDS.get(how, LAND)
    given = ending(many, lease) if how in ENDS else landing(many, lease, same=how == "unchanged")
    async with db.connection() as one, one.transaction():
        (before,) = await (await one.execute(READ)).fetchall()
        await one.execute(query, given)
        (after,) = await (await one.execute(READ)).fetchall()
    assert BATCH <= after["n"] - before["n"] < 3 * BATCH


@pytest.mark.parametrize("vacuumed", [False, True])
async def test_a_plan_made_for_an_empty_table_holds_when_it_has_grown(
    db: Database, conn: Conn, things: Resource, *, vacuumed: bool
) -> None:
    """A session keeps its plans: those of its first batch must do for the last."""
    if vacuumed:
        await conn.execute("vacuum analyze engine.crawl")
    read = []
    async with db.connection() as one:
        for first in range(0, ENTITIES, BATCH):
            bodies = [thing(f"{number:04}") for number in range(first, first + BATCH)]
            batch = prepare(things, bodies, {})
            target = Target(things, None, at(0), 0)
            for again in (False, True):
                hashes = {ready.key: ready.hash for ready in batch.changed} if again else {}
                given = parameters(target, [] if again else batch.changed, hashes)
                async with one.transaction():
                    (before,) = await (await one.execute(READ)).fetchall()
                    await one.execute(LAND, given)
                    (after,) = await (await one.execute(READ)).fetchall()
                read.append(after["n"] - before["n"])
    assert max(read) < 4 * BATCH
