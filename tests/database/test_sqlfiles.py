"""A file of sql/ that is wrong is named, with what to do about it."""

import pytest

from etl.engine.migrate import migrate
from etl.engine.sqlfiles import GRANTS, SqlFile, SqlFileError, in_order
from etl.settings import Settings
from tests.database.conftest import Sources

VIEW = "create view engine.{name} as select {what} as x;"
FUNCTION = "create function engine.{name}() returns int language sql as $$ select {what} $$;"

NOT_ONE = "sql/engine/a.sql: must make one function, procedure, view or type"
NO_FILE = "which no file of sql/ makes (tables need not be named)"


def refused(sources: Sources, url: str, options: Settings) -> str:
    with pytest.raises(SqlFileError) as caught:
        migrate(url, options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            VIEW.format(name="b", what=1),
            "sql/engine/a.sql: makes engine.b; name the file b.sql",
        ),
        (
            VIEW.format(name="a", what=1) + VIEW.format(name="b", what=1),
            f"{NOT_ONE}; found: engine.a, engine.b",
        ),
        (
            "comment on schema engine is 'x';",
            f"{NOT_ONE}; found: none",
        ),
        (
            "create view a as select 1 as x;",
            f"{NOT_ONE}; found: none",
        ),
        (
            VIEW.format(name="a", what=1) + "create table engine.b ();",
            "sql/engine/a.sql: must make engine.a alone, but made engine.a, engine.b",
        ),
        (
            "-- requires: engine.nothing\n" + VIEW.format(name="a", what=1),
            f"sql/engine/a.sql: requires engine.nothing, {NO_FILE}",
        ),
        (
            VIEW.format(name="a", what=1) + "\n-- requires: engine.b\n",
            "sql/engine/a.sql: `-- requires:` stands at the top of a file or nowhere",
        ),
        (
            "create view engine.a as\nselect 1 as x\nfrom throttle;",
            'sql/engine/a.sql: line 3: relation "throttle" does not exist',
        ),
        (
            "create function engine.a() returns int language sql as $$\nselect no.b()\n$$;",
            'sql/engine/a.sql: line 2: schema "no" does not exist',
        ),
    ],
)
def test_wrong_files(
    empty_url: str, options: Settings, sources: Sources, text: str, says: str
) -> None:
    sources.write("engine/a.sql", text)
    assert refused(sources, empty_url, options) == says


def test_a_name_without_its_schema_is_refused_though_it_could_be_found(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.revise("0002", "0001", "create table public.found ()")
    sources.write("engine/a.sql", "create view engine.a as select 1 as x from found;")
    says = refused(sources, empty_url, options)
    assert says == 'sql/engine/a.sql: line 1: relation "found" does not exist'


def test_two_files_that_make_the_same(empty_url: str, options: Settings, sources: Sources) -> None:
    sources.write("engine/a.sql", VIEW.format(name="a", what=1))
    sources.write("ops/a.sql", VIEW.format(name="a", what=2))
    says = refused(sources, empty_url, options)
    assert says == "sql/ops/a.sql: makes engine.a, which sql/engine/a.sql makes too"


def test_a_circle(empty_url: str, options: Settings, sources: Sources) -> None:
    for name, needs in (("a", "b"), ("b", "c"), ("c", "a")):
        sources.write(
            f"engine/{name}.sql", f"-- requires: engine.{needs}\n" + VIEW.format(name=name, what=1)
        )
    says = refused(sources, empty_url, options)
    assert "requires itself" in says
    assert all(f"engine/{name}.sql" in says for name in "abc")


def test_a_view_that_uses_what_it_does_not_declare_though_the_names_put_it_right(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/a.sql", FUNCTION.format(name="a", what=1))
    sources.write("engine/b.sql", VIEW.format(name="b", what="engine.a()"))
    says = refused(sources, empty_url, options)
    assert says == (
        "sql/engine/b.sql: uses engine.a. Declare it in the first line: -- requires: engine.a"
    )


@pytest.mark.parametrize("text", [VIEW, FUNCTION])
def test_use_of_what_comes_later_is_answered_with_the_line_to_write(
    empty_url: str, options: Settings, sources: Sources, text: str
) -> None:
    sources.write("engine/a.sql", text.format(name="a", what="engine.b()"))
    sources.write("engine/b.sql", FUNCTION.format(name="b", what=1))
    says = refused(sources, empty_url, options)
    assert says.startswith("sql/engine/a.sql: line 1: function engine.b() does not exist.")
    assert says.endswith("Declare it in the first line: -- requires: engine.b")


def test_what_is_required_through_another_is_declared(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/c.sql", FUNCTION.format(name="c", what=1))
    sources.write(
        "engine/b.sql", "-- requires: engine/c.sql\n" + VIEW.format(name="b", what="engine.c()")
    )
    sources.write(
        "engine/a.sql",
        "-- requires: sql/engine/b.sql\ncreate view engine.a as select x + engine.c() as y from engine.b;",
    )
    applied = migrate(empty_url, options).applied
    assert applied == ["engine/c.sql", "engine/b.sql", "engine/a.sql"]


def test_every_kind_of_object_is_replaced(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/pair.sql", "create type engine.pair as (a int, b int);")
    sources.write(
        "engine/pairs.sql",
        "-- requires: engine.pair\n"
        "create function engine.pairs(p engine.pair[], out q engine.pair) language sql\n"
        "as $$ select (1, 2)::engine.pair $$;",
    )
    sources.write(
        "engine/swap.sql",
        "-- requires: engine.pair\n"
        "create procedure engine.swap(inout p engine.pair) language plpgsql as $$ begin end $$;",
    )
    sources.write(
        "engine/largest.sql",
        "create aggregate engine.largest(int) (sfunc = int4larger, stype = int);",
    )
    sources.write("engine/even.sql", "create domain engine.even as int check (value % 2 = 0);")
    for text in ("a int, b int", "a int, b int, c int"):
        sources.write("engine/pair.sql", f"create type engine.pair as ({text});")
        sources.write(
            "engine/pairs.sql",
            "-- requires: engine.pair\n"
            "create function engine.pairs(p engine.pair[], out q engine.pair) language sql\n"
            "as $$ select p[1] $$;",
        )
        assert len(migrate(empty_url, options).applied) == 5


def _file(path: str, *requires: str, kind: str = "view") -> SqlFile:
    return SqlFile(path, "", kind, path.removesuffix(".sql").replace("/", "."), requires)


def test_order_follows_requirements_then_names_and_grants_come_last() -> None:
    files = [
        _file("roles/public.sql", kind=GRANTS),
        _file("s/c.sql", "s.z"),
        _file("s/b.sql"),
        _file("s/z.sql"),
        _file("s/d.sql", "s/c.sql"),
    ]
    names = ["s.b", "s.z", "s.c", "s.d", "roles.public"]
    assert [f.name for f in in_order(files)] == names
    names[:2] = ["s.z", "s.b"]
    assert [f.name for f in in_order(files, backwards=True)] == names
