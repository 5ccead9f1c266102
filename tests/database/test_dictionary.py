"""Everything of ours says what it is, and the page made of that is current."""

import psycopg

from etl.engine.dictionary import dictionary
from etl.engine.migrate import migrate
from etl.engine.sqlfiles import PACKAGE
from etl.settings import Settings

SILENT = """
with ours as (
  select n.oid from pg_namespace as n
  join pg_description as d on d.objoid = n.oid and d.classoid = 'pg_namespace'::regclass
  where n.nspname not in ('public', 'pg_catalog', 'pg_toast', 'information_schema')
),
thing as (
  select 'pg_class'::regclass as klass, c.oid, a.attnum::integer as part
  from pg_class as c
  join ours on ours.oid = c.relnamespace
  left join pg_attribute as a
    on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  union all
  select 'pg_class'::regclass, c.oid, 0
  from pg_class as c join ours on ours.oid = c.relnamespace
  where (c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition)
    or (c.relkind = 'S' and not exists (
      select from pg_depend as d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')))
  union all
  select 'pg_proc'::regclass, p.oid, 0 from pg_proc as p join ours on ours.oid = p.pronamespace
  union all
  select 'pg_type'::regclass, t.oid, 0
  from pg_type as t join ours on ours.oid = t.typnamespace
  left join pg_class as c on c.oid = t.typrelid
  where t.typtype in ('e', 'd') or c.relkind = 'c'
)
select i.type || ' ' || i.identity
from thing as t
cross join lateral pg_identify_object(t.klass, t.oid, t.part) as i
where not exists (
  select from pg_description as d
  where d.classoid = t.klass and d.objoid = t.oid and d.objsubid = t.part and d.description <> ''
)
order by 1
"""


def test_everything_has_a_comment(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("set search_path = ''")
        assert [name for (name,) in conn.execute(SILENT)] == []


def test_the_page_is_current(empty_url: str, options: Settings) -> None:
    migrate(empty_url, options.model_copy(update={"timeseries": "plain"}))
    page = PACKAGE.parent / "docs" / "data-dictionary.md"
    current = page.read_text("utf-8") == dictionary(empty_url)
    assert current, f"run `etl migrate && etl dictionary > {page.relative_to(PACKAGE.parent)}`"


def test_the_page_has_every_kind_of_thing(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("create schema zoo; comment on schema zoo is 'Animals'")
        conn.execute("create table zoo.cat (name text not null, born_at timestamptz)")
        conn.execute("comment on table zoo.cat is 'A cat\nor | two'")
        conn.execute("comment on column zoo.cat.name is 'What it hears'")
        conn.execute("create view zoo.kitten as select c.born_at from zoo.cat as c")
        conn.execute("comment on view zoo.kitten is 'A young cat'")
        conn.execute("create sequence zoo.life; comment on sequence zoo.life is 'Nine'")
        conn.execute(
            "create function zoo.meow(p_at timestamptz, p_n int default 1) returns text"
            " language sql as $$ select 'meow' $$"
        )
        conn.execute("comment on function zoo.meow is 'Says it'")
    zoo = dictionary(database_url).partition("\n## zoo\n")[2].partition("\n## ")[0]
    assert zoo == (
        "\nAnimals\n\n### zoo.cat\n\nA cat or \\| two\n\n"
        "| column | type | meaning |\n|---|---|---|\n"
        "| `name` | text, required | What it hears |\n"
        "| `born_at` | timestamptz |  |\n\n"
        "### zoo.kitten (view)\n\nA young cat\n\n"
        "| column | type | meaning |\n|---|---|---|\n"
        "| `born_at` | timestamptz |  |\n\n"
        "### Functions of zoo\n\n"
        "- `meow(p_at timestamptz, p_n integer DEFAULT 1) → text`: Says it\n\n"
        "### Sequences of zoo\n\n- `life`: Nine\n"
    )
