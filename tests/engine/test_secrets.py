"""What is kept of a failure shows no secret that an error's text brought along."""

import pytest

from etl.engine import runs
from etl.engine.crawl import claim, fail
from etl.engine.database import Database
from etl.engine.items import Bad, Resource
from etl.engine.resource import land
from etl.settings import Settings
from tests.engine.support import Conn, at, rejected, rows

SAID = "cannot reach postgresql://etl:sesame@db/x with Bearer eg1~abcdefgh"
MASKED = "cannot reach postgresql://etl:********@db/x with Bearer ********"


def test_the_sentence_of_a_run() -> None:
    error = RuntimeError("page 1")
    error.__cause__ = ValueError(SAID)
    assert runs.sentence(error) == f"RuntimeError: page 1; because of ValueError: {MASKED}"


@pytest.mark.parametrize("limit", [1990, 1991, 2000])
def test_a_secret_at_the_cut_is_masked_too(limit: int) -> None:
    said = "x" * (limit - 20) + " p://u:sesame@db"
    assert "sesame" not in runs.sentence(RuntimeError(said))


async def test_the_reason_of_an_item_set_aside(db: Database, conn: Conn, things: Resource) -> None:
    await land(db, things, [Bad("a", b"{", SAID)], at(0))
    assert await rejected(conn) == [("a", MASKED, b"{")]


async def test_the_reason_of_a_failed_entity(db: Database, conn: Conn, things: Resource) -> None:
    await conn.execute("select engine.discover('probe.thing', '{a}')")
    lease = await claim(db, things, 1, Settings())
    assert lease is not None
    await fail(db, things, lease, {"a": SAID}, attempts=3)
    assert await rows(conn, "select last_error from engine.crawl") == [(MASKED,)]
