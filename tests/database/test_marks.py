"""What waited for Elasticsearch before marks were sets waits afterwards."""

from collections.abc import Callable

import psycopg

from etl.engine.migrate import migrate
from etl.engine.revisions import driver, one_transaction
from etl.engine.revisions import upgrade as upgrade_tables
from etl.settings import Settings

OLD = """
insert into search.dirty (index, id, mark, marked_at)
select index, to_char(n, 'fm00000'), nextval('search.mark'), now() - n * interval '1 second'
from unnest(array['island', 'creator']) as index
cross join generate_series(1, 6000) as n
where index = 'island' or n <= 2
"""
WAITING = """
select index, count(*), count(distinct id), bool_and(leased_until = '-infinity')
from search.pending group by index order by index
"""
FIRST = """
select min(id), max(id) from unnest((select ids from search.lease('island', 4999, '1 minute'))) as id
"""


def test_marks_of_documents_become_sets_in_their_order(
    new_database: Callable[[], str], options: Settings
) -> None:
    url = new_database()
    with one_transaction(url) as session:
        driver(session).execute("create schema if not exists engine")
        upgrade_tables(session, options, "0016")
    with psycopg.connect(url) as conn:
        conn.execute(OLD)
    migrate(url, options)
    with psycopg.connect(url) as conn:
        found = conn.execute(WAITING).fetchall()
        assert found == [("creator", 2, 2, True), ("island", 6000, 6000, True)]
        assert conn.execute(FIRST).fetchone() == ("01002", "06000")
