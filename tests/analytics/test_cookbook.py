"""Every question of the cookbook, as an analyst asks it: it parses, gives rows and says what it is."""

import pytest

from bench.parts.questions import Question, questions, values
from etl.engine.database import Connection
from tests.analytics.conftest import Landed

pytestmark = pytest.mark.asyncio(loop_scope="session")

COMMENTED = """
select c.oid::regclass::text as name, a.attname as part
from pg_class as c
inner join pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
where
  c.relnamespace = 'analytics'::regnamespace
  and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
union all
select p.oid::regprocedure::text, ''
from pg_proc as p
where p.pronamespace = 'analytics'::regnamespace and obj_description(p.oid, 'pg_proc') is null
"""


UNKNOWN = {
    "followers",  # pages were read today alone
    "avg_after",  # the change was seen today
    "observed_after",
}


@pytest.mark.parametrize("question", questions(), ids=lambda one: str(one.number))
async def test_it_is_answered(landed: Landed, analyst: Connection, question: Question) -> None:
    found = await (await analyst.execute(question.query(await values(analyst)))).fetchall()
    assert found, question.title
    for name in found[0].keys() - UNKNOWN:
        assert any(row[name] is not None for row in found), f"{name} is null in every row"


async def test_there_are_twenty_at_least_numbered_in_order() -> None:
    assert [one.number for one in questions()] == list(range(1, len(questions()) + 1))
    assert len(questions()) >= 20


async def test_everything_an_analyst_reads_says_what_it_is(landed: Landed) -> None:
    assert await landed.db.fetch(COMMENTED) == []


async def test_every_view_can_be_read(landed: Landed, analyst: Connection) -> None:
    views = await landed.db.fetch(
        "select c.oid::regclass::text as name from pg_class as c where c.relnamespace = 'analytics'::regnamespace"
    )
    empty = set()
    for view in views:
        rows = await (
            await analyst.execute(f"select * from {view['name']} limit 1".encode())
        ).fetchall()
        empty |= {view["name"]} if not rows else set()
    # nothing happened that these would tell of
    assert empty <= {
        f"analytics.{name}"
        for name in (
            "creator_change",
            "island_metric_gap",
            "island_metric_hour",
            "island_metric_ten_minutes",
            "island_owner_change",
        )
    }
