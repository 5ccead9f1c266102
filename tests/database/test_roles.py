"""Roles are made once a server, and passwords stay out of sight."""

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from etl.embedded import role_passwords
from etl.engine import roles
from etl.engine.migrate import migrate
from etl.settings import Settings
from tests.database.conftest import Sources

Connection = psycopg.Connection


@pytest.fixture
def other_roles(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """Names of roles that do not exist yet, in the place of ours: roles belong to the server."""
    mark = secrets.token_hex(4)
    names = tuple(f"{name}_{mark}" for name in roles.NAMES)
    monkeypatch.setattr(roles, "NAMES", names)
    for constant, name in zip(("WORKER", "ANALYST", "OPERATOR"), names, strict=True):
        monkeypatch.setattr(roles, constant, name)
    limits = {f"{role}_{mark}": limit for role, limit in roles.LIMITS.items()}
    monkeypatch.setattr(roles, "LIMITS", limits)
    yield names
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


def test_an_analyst_who_logs_in_is_read_only_and_cut_off_in_time(
    database_url: str, settings: Settings, other_roles: tuple[str, ...]
) -> None:
    password = secrets.token_urlsafe()
    migrate(database_url, settings.model_copy(update={"analyst_password": SecretStr(password)}))
    url = make_conninfo(database_url, user=other_roles[1], password=password)
    with psycopg.connect(url) as conn:
        for name, value in (
            ("statement_timeout", "5min"),
            ("idle_in_transaction_session_timeout", "1min"),
            ("default_transaction_read_only", "on"),
            ("jit", "off"),
            ("TimeZone", "UTC"),
        ):
            assert conn.execute(sql.SQL("show {}").format(sql.Identifier(name))).fetchone() == (
                value,
            )
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("create temporary table mine ()")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(make_conninfo(url, password="another"))


def test_the_embedded_server_has_passwords_of_its_own(
    database_url: str, servers_home: Path
) -> None:
    options = Settings(home=servers_home)
    migrate(database_url, options)
    for role, password in role_passwords(options).items():
        url = make_conninfo(database_url, user=role, password=password.get_secret_value())
        psycopg.connect(url).close()


def _second_waits_for_first(
    first_url: str, second_url: str, work: Callable[[Connection], object]
) -> tuple[object, object]:
    """Run the same work on two databases: the second while the first has not committed."""
    with (
        psycopg.connect(first_url) as first,
        psycopg.connect(second_url) as second,
        psycopg.connect(first_url, autocommit=True) as watch,
        ThreadPoolExecutor(1) as pool,
    ):
        first.execute("select 1")
        second.execute("select 1")
        done = work(first)
        waiting = pool.submit(work, second)
        blocked = "select cardinality(pg_blocking_pids(%s)) > 0"
        while watch.execute(blocked, [second.info.backend_pid]).fetchone() != (True,):
            assert not waiting.done()
            threading.Event().wait(0.01)
        first.commit()
        return done, waiting.result(timeout=10)


def test_two_databases_of_a_server_make_the_roles_at_once(
    new_database: Callable[[], str], other_roles: tuple[str, ...]
) -> None:
    notices: list[str] = []
    one, two = _second_waits_for_first(
        new_database(), new_database(), lambda conn: roles.ensure_roles(conn, notices.append)
    )
    assert one == two == set(other_roles)
    assert notices == []


def test_two_databases_of_a_server_set_a_password_at_once(
    new_database: Callable[[], str], other_roles: tuple[str, ...], postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as admin:
        there = roles.ensure_roles(admin, pytest.fail)
    options = Settings(
        database_url=SecretStr(postgres_url), worker_password=SecretStr("of-the-worker")
    )
    first, second = new_database(), new_database()
    _second_waits_for_first(
        first,
        second,
        lambda conn: roles.set_passwords(conn, options, there, pytest.fail),
    )
    psycopg.connect(make_conninfo(first, user=other_roles[0], password="of-the-worker")).close()


def test_a_password_never_leaves_the_client(
    postgres_url: str, other_roles: tuple[str, ...], tmp_path: Path
) -> None:
    sent = tmp_path / "sent"
    options = Settings(
        database_url=SecretStr(postgres_url), operator_password=SecretStr("of-the-operator")
    )
    with psycopg.connect(postgres_url) as conn, sent.open("w") as file:
        there = roles.ensure_roles(conn, pytest.fail)
        conn.pgconn.trace(file.fileno())
        roles.set_passwords(conn, options, there, pytest.fail)
        conn.pgconn.untrace()
    text = sent.read_text()
    assert "SCRAM-SHA-256$" in text
    assert "of-the-operator" not in text


def test_an_owner_who_may_make_no_roles_is_told_and_migrates_all_the_same(
    new_database: Callable[[], str],
    postgres_url: str,
    sources: Sources,
    other_roles: tuple[str, ...],
) -> None:
    worker, analyst, operator = other_roles
    sources.write("engine/one.sql", "create view engine.one as select 1 as x;")
    sources.write(f"roles/{worker}.sql", f"grant select on engine.one to {worker};")
    url = new_database()
    tenant = f"tenant_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        name = sql.Identifier(tenant)
        database = sql.Identifier(url.rpartition("/")[2])
        admin.execute(sql.SQL("create role {} login password 'x'").format(name))
        admin.execute(sql.SQL("alter database {} owner to {}").format(database, name))
        try:
            own = make_conninfo(url, user=tenant, password="x")
            options = Settings(
                database_url=SecretStr(url), worker_password=SecretStr("of-the-worker")
            )
            done = migrate(own, options)
            assert done.applied == ["engine/one.sql"]
            assert len(done.notices) == 3
            assert done.notices[0].startswith(f"role {worker} is missing and {tenant} may not")
            assert f"`create role {worker} nologin`" in done.notices[0]
            assert migrate(own, options).applied == []

            admin.execute(sql.SQL("create role {} nologin").format(sql.Identifier(worker)))
            done = migrate(own, options)
            assert done.applied == ["engine/one.sql", f"roles/{worker}.sql"]
            assert any("password" in notice and worker in notice for notice in done.notices)
            assert not any("of-the-worker" in notice for notice in done.notices)
            assert analyst in " ".join(done.notices)
            assert operator in " ".join(done.notices)
        finally:
            with psycopg.connect(url, autocommit=True) as inside:
                inside.execute(sql.SQL("drop owned by {}").format(name))
                inside.execute(sql.SQL("reassign owned by {} to current_user").format(name))
            admin.execute(sql.SQL("alter database {} owner to current_user").format(database))
            admin.execute(sql.SQL("drop role {}").format(name))
