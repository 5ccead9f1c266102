"""The roles of a database: made where they are missing, with passwords and limits.

Roles belong to the whole server: two of its databases may want the same role at the same instant.
"""

from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import sql
from pydantic import SecretStr

from etl.embedded import role_passwords
from etl.settings import Settings

Connection = psycopg.Connection[Any]

WORKER = "etl_worker"
ANALYST = "etl_analyst"
OPERATOR = "etl_operator"
NAMES = (WORKER, ANALYST, OPERATOR)

# Plans over many partitions are estimated high: compiling one takes longer than to answer by it. TimescaleDB makes a
# hash table for each chunk that an aggregate may look at, before it finds that none but the newest has anything to add.
PLANNING = {"jit": "off", "timescaledb.enable_chunkwise_aggregation": "off"}

# Set for this database alone: the same role may serve another one with other limits.
LIMITS: Mapping[str, Mapping[str, str]] = {
    WORKER: PLANNING,
    ANALYST: {
        **PLANNING,
        "default_transaction_read_only": "on",
        "idle_in_transaction_session_timeout": "60s",
        "statement_timeout": "5min",
        "TimeZone": "UTC",
    },
    OPERATOR: {**PLANNING, "idle_in_transaction_session_timeout": "5min"},
}

TRIES = 5


def ensure_roles(conn: Connection, notice: Callable[[str], None]) -> set[str]:
    """Make the roles that are missing; returns the roles there are.

    What this user may not do is told to ``notice`` in a sentence and left out: everything else
    works without it. A role that exists keeps its other attributes.
    """
    return {role for role in NAMES if _ensure(conn, role, notice)}


def set_limits(conn: Connection, there: set[str], notice: Callable[[str], None]) -> None:
    """Set the limits of roles, but for what this server does not know: of an extension it lacks."""
    known = {name for (name,) in conn.execute("select name from pg_settings")}
    for role in sorted(there):
        limits = {name: value for name, value in LIMITS[role].items() if name in known}
        _limit(conn, role, limits, notice)


def set_passwords(
    conn: Connection, settings: Settings, there: set[str], notice: Callable[[str], None]
) -> None:
    """Let each role log in whose password is in the settings; a role without one stays as it is.

    The embedded server has passwords of its own for those that the settings leave out. Comes last
    in a migrate: the server lets no other database change the role until it ends.
    """
    made = role_passwords(settings) if settings.database_url is None else {}
    passwords = {
        WORKER: settings.worker_password,
        ANALYST: settings.analyst_password,
        OPERATOR: settings.operator_password,
    }
    for role, chosen in passwords.items():
        password = chosen or made.get(role)
        if password is not None and role in there:
            _let_in(conn, role, password, notice)


def _ensure(conn: Connection, role: str, notice: Callable[[str], None]) -> bool:
    if _exists(conn, role):
        return True
    create = sql.SQL("create role {} nologin").format(sql.Identifier(role))
    if _attempt(conn, create):
        return True
    notice(
        f"role {role} is missing and {conn.info.user} may not create it: have an administrator run"
        f" `create role {role} nologin` and migrate again"
    )
    return False


def _exists(conn: Connection, role: str) -> bool:
    return conn.execute("select from pg_roles where rolname = %s", [role]).fetchone() is not None


def _limit(
    conn: Connection, role: str, limits: Mapping[str, str], notice: Callable[[str], None]
) -> None:
    wanted = {f"{name}={value}" for name, value in limits.items()}
    row = conn.execute(
        "select s.setconfig from pg_db_role_setting as s"
        " where s.setdatabase = (select oid from pg_database where datname = current_database())"
        " and s.setrole = %s::regrole",
        [role],
    ).fetchone()
    if wanted <= set(row[0] if row else ()):
        return
    for name, value in limits.items():
        statement = sql.SQL("alter role {} in database {} set {} = {}").format(
            sql.Identifier(role), sql.Identifier(conn.info.dbname), sql.SQL(name), value
        )
        if not _attempt(conn, statement):
            notice(f"{conn.info.user} may not set {name} of role {role}: run `{_text(statement)}`")


def _text(statement: sql.Composed) -> str:
    return statement.as_string()


def _let_in(
    conn: Connection, role: str, password: SecretStr, notice: Callable[[str], None]
) -> None:
    # The verifier is made here: the password never reaches the server, its log or its statistics.
    verifier = conn.pgconn.encrypt_password(
        password.get_secret_value().encode(), role.encode(), b"scram-sha-256"
    )
    statement = sql.SQL("alter role {} login password {}").format(
        sql.Identifier(role), verifier.decode()
    )
    if not _attempt(conn, statement):
        notice(f"{conn.info.user} may not set the password of role {role}: an administrator can")


def _attempt(conn: Connection, statement: sql.Composed) -> bool:
    """Run a statement on a role; False where this user may not.

    Another database of the server that changes the same role first makes the statement wait, then
    fail: it is tried again, and a role that came into being meanwhile counts as made.
    """
    for attempt in range(TRIES):
        try:
            with conn.transaction():
                conn.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return False
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            return True
        except psycopg.errors.InternalError_:  # tuple concurrently updated
            if attempt == TRIES - 1:
                raise
        else:
            return True
    return True
