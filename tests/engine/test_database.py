"""What the pool tries again, and what it does not."""

import psycopg
import pytest

from etl.engine.database import Database

# A number drawn stays drawn: it counts the tries.
TOO_DEEP = "select nextval('engine.lease'), repeat('[', 20000 + (random() * 0)::integer)::jsonb"


async def test_what_is_past_a_limit_is_tried_once(db: Database) -> None:
    before = await db.fetch_one("select nextval('engine.lease') as n")
    with pytest.raises(psycopg.errors.StatementTooComplex):
        await db.fetch(TOO_DEEP)
    after = await db.fetch_one("select nextval('engine.lease') as n")
    assert after["n"] == before["n"] + 2
