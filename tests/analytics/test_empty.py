"""What analysts are told before anything was sampled: no error, on whatever PostgreSQL it is."""

import psycopg

ASKED = """
select format('select * from %s', c.oid::regclass)
from pg_class as c
where c.relnamespace = 'analytics'::regnamespace and c.relkind = 'v'
union all
select format('select * from %s(%s)', p.oid::regproc, string_agg(
  case t.type::regtype::text
    when 'text' then '''x''' when 'integer' then '7' when 'date' then 'current_date' else 'now()'
  end, ', ' order by t.nth
))
from pg_proc as p
cross join lateral unnest(p.proargtypes) with ordinality as t (type, nth)
where p.pronamespace = 'analytics'::regnamespace and t.nth <= p.pronargs - p.pronargdefaults
group by p.oid
"""


async def test_a_database_without_a_sample_answers(conn: psycopg.AsyncConnection) -> None:
    asked = await (await conn.execute(ASKED)).fetchall()
    assert len(asked) > 40
    for (question,) in asked:
        await conn.execute(question)
