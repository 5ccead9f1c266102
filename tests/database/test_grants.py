"""Who may do what."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from etl.engine import roles
from etl.engine.migrate import migrate
from etl.settings import Settings
from tests.database.catalogue import catalogue
from tests.database.conftest import Sources

Connection = psycopg.Connection

RELATIONS = """
select c.oid::regclass::text as name, c.relkind = 'v' as is_view
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_description as d on d.objoid = n.oid and d.classoid = 'pg_namespace'::regclass
where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v') and not c.relispartition
"""

ROUTINES = """
select p.oid::regprocedure::text as name, p.provolatile = 'v' as is_volatile,
  p.prosecdef as is_definer, coalesce(p.proconfig, '{}') as config
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace
where n.nspname = any(%s)
"""

SCHEMAS = ["analytics", "engine", "fortnite", "jobs", "ops", "raw", "search"]


@pytest.fixture
def owner(database_url: str) -> Iterator[Connection]:
    """The owner's connection; what a test does is undone."""
    with psycopg.connect(database_url) as conn:
        conn.execute("set search_path = ''")
        yield conn
        conn.rollback()


def may(conn: Connection, role: str, statement: str) -> bool:
    """Whether ``role`` may run the statement, in a session that is not read-only."""
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            conn.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def relations(conn: Connection, *schemas: str) -> list[str]:
    return [name for name, _ in conn.execute(RELATIONS, [list(schemas)])]


def views(conn: Connection, *schemas: str) -> list[str]:
    return [name for name, is_view in conn.execute(RELATIONS, [list(schemas)]) if is_view]


def test_analysts_read_all_but_the_machinery(owner: Connection) -> None:
    readable = relations(owner, "analytics", "fortnite", "ops", "raw") + views(owner, "search")
    assert {"fortnite.island", "raw.document", "ops.throttle"} <= set(readable)
    for name in readable:
        assert may(owner, roles.ANALYST, f"select * from {name} limit 1"), name
    for name in relations(owner, "engine", "jobs"):
        assert not may(owner, roles.ANALYST, f"select 1 from {name}"), name


def test_analysts_write_nothing_and_call_nothing_that_could(owner: Connection) -> None:
    for name in relations(owner, *SCHEMAS):
        for privilege in ("insert", "update", "delete", "truncate", "references", "trigger"):
            row = owner.execute(
                "select has_table_privilege(%s, %s, %s)", [roles.ANALYST, name, privilege]
            ).fetchone()
            assert row == (False,), (name, privilege)
    assert not may(owner, roles.ANALYST, "delete from fortnite.island")
    assert not may(owner, roles.ANALYST, "create table fortnite.mine ()")
    for name, is_volatile, is_definer, _ in owner.execute(ROUTINES, [SCHEMAS]).fetchall():
        if is_volatile or is_definer:
            assert not _may_execute(owner, roles.ANALYST, name), name


def test_nobody_but_the_worker_reads_tokens(owner: Connection) -> None:
    assert may(owner, roles.WORKER, "select * from engine.token")
    for role in (roles.ANALYST, roles.OPERATOR):
        assert not may(owner, role, "select name from engine.token")
        row = owner.execute(
            "select has_any_column_privilege(%s, 'engine.token', 'select')", [role]
        ).fetchone()
        assert row == (False,), role
        assert not may(owner, role, "select engine.token_read('x')")


def test_operators_read_everything_else_and_act_through_ops_alone(owner: Connection) -> None:
    for name in relations(owner, *SCHEMAS):
        if name != "engine.token":
            assert may(owner, roles.OPERATOR, f"select * from {name} limit 1"), name
        row = owner.execute(
            "select has_table_privilege(%s, %s, 'insert, update, delete, truncate')",
            [roles.OPERATOR, name],
        ).fetchone()
        assert row == (False,), name
    assert may(owner, roles.OPERATOR, "select * from public.procrastinate_jobs")
    for name, is_volatile, is_definer, config in owner.execute(ROUTINES, [SCHEMAS]).fetchall():
        if name.startswith("ops."):
            assert _may_execute(owner, roles.OPERATOR, name), name
            # It acts with the owner's rights, or the operator could not act at all.
            assert is_definer or not is_volatile, name
        elif is_volatile or is_definer:
            assert not _may_execute(owner, roles.OPERATOR, name), name
        # What runs with the owner's rights must not be led astray by its caller's search path.
        if is_definer:
            assert any(setting.startswith("search_path=") for setting in config), name


def test_workers_write_every_row_and_change_no_table(owner: Connection) -> None:
    own = {"engine.alembic_version", "engine.migration", "engine.sql_object"}
    for name in [*relations(owner, *SCHEMAS), "public.procrastinate_jobs"]:
        row = owner.execute(
            "select has_table_privilege(%s, %s, 'select'), has_table_privilege(%s, %s, 'insert'),"
            " has_table_privilege(%s, %s, 'truncate')"
            " and not (c.relkind = 'v' and c.relowner = %s::regrole)"
            " from pg_class as c where c.oid = %s::regclass",
            [*[roles.WORKER, name] * 3, roles.WORKER, name],
        ).fetchone()
        # Continuous aggregates, views on the outside, are the worker's own: nobody else may refresh them.
        assert row == (True, name not in own, False), name
    for name, *_ in owner.execute(ROUTINES, [[*SCHEMAS]]).fetchall():
        assert _may_execute(owner, roles.WORKER, name), name
    assert may(owner, roles.WORKER, "select nextval('engine.lease'), setval('search.version', 9)")
    assert not may(owner, roles.WORKER, "alter table fortnite.island add x int")
    assert not may(owner, roles.WORKER, "create table engine.mine ()")


def test_workers_refresh_continuous_aggregates(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        if (
            conn.execute("select 1 from pg_extension where extname = 'timescaledb'").fetchone()
            is None
        ):
            pytest.skip("this server has no TimescaleDB")
        stores = conn.execute(
            "select format('%I.%I', view_schema, view_name)"
            " from timescaledb_information.continuous_aggregates order by 1 desc"
        ).fetchall()
        assert stores
        conn.execute("insert into fortnite.ccu values ('2026-01-01 00:00+00', 1, 7)")
        conn.execute("set role etl_worker")
        for (store,) in stores:
            refresh = sql.SQL("call public.refresh_continuous_aggregate({}, null, null)")
            conn.execute(refresh.format(store))
            count = sql.SQL("select count(*) from ") + sql.SQL(store)
            assert conn.execute(count).fetchone() == (1,), store


def test_nothing_of_ours_is_open_to_everybody(owner: Connection) -> None:
    name = f"nobody_{secrets.token_hex(4)}"
    owner.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
    ours = owner.execute(ROUTINES, [SCHEMAS]).fetchall() + [
        row for row in owner.execute(ROUTINES, [["public"]]).fetchall() if "procrastinate" in row[0]
    ]
    assert len(ours) > 40
    for routine, *_ in ours:
        assert not _may_execute(owner, name, routine), routine
    for schema in SCHEMAS:
        row = owner.execute(
            "select has_schema_privilege(%s, %s, 'usage, create')", [name, schema]
        ).fetchone()
        assert row == (False,), schema


def test_the_schemas_of_the_grants_are_all_there_are(owner: Connection) -> None:
    found = owner.execute(
        "select n.nspname from pg_namespace as n"
        " join pg_description as d on d.objoid = n.oid and d.classoid = 'pg_namespace'::regclass"
        " where n.nspname not in ('public', 'pg_catalog', 'pg_toast', 'information_schema')"
        " order by 1"
    ).fetchall()
    # Partitions are reached through their parents, which stand in the other schemas.
    assert [name for (name,) in found] == sorted([*SCHEMAS, "series"])


def _may_execute(conn: Connection, role: str, routine: str) -> bool:
    row = conn.execute(
        "select has_function_privilege(%s, %s::regprocedure, 'execute')", [role, routine]
    ).fetchone()
    return row == (True,)


def test_grants_survive_when_sql_is_applied_again(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/one.sql", "create view engine.one as select 1 as x;")
    sources.write("roles/etl_analyst.sql", "grant select on engine.one to etl_analyst;")
    migrate(empty_url, options)
    with psycopg.connect(empty_url, autocommit=True) as conn:
        assert may_select(conn, "engine.one")
        sources.write("engine/two.sql", "create view engine.two as select 2 as x;")
        migrate(empty_url, options)
        assert may_select(conn, "engine.one")
        assert not may_select(conn, "engine.two")
        sources.write("roles/etl_analyst.sql", "grant select on engine.two to etl_analyst;")
        migrate(empty_url, options)
        assert may_select(conn, "engine.two")
        assert not may_select(conn, "engine.one")


def may_select(conn: Connection, name: str) -> bool:
    row = conn.execute(
        "select has_table_privilege(%s, %s, 'select')", [roles.ANALYST, name]
    ).fetchone()
    return row == (True,)


def test_the_whole_of_sql_applied_again_is_the_same(database_url: str, settings: Settings) -> None:
    before = catalogue(database_url)
    with psycopg.connect(database_url) as conn:
        conn.execute("update engine.sql_object set hash = 'old' where ordinal = 0")
    assert migrate(database_url, settings).applied
    assert catalogue(database_url) == before
