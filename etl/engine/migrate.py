"""Bringing a database to this code: tables by alembic, everything in sql/, roles and grants, all or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from time import monotonic
from typing import Any

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from packaging.version import Version

from etl.engine import roles
from etl.engine.sqlfiles import SqlFile, in_order, migrations_folder, read_files, sql_folder
from etl.engine.sqlobjects import drop_all, make_all
from etl.errors import PlainError
from etl.settings import Settings

Connection = psycopg.Connection[Any]

DISTRIBUTION = "headrace"
LOCK = 0x48656164  # one migrate a database at a time; advisory locks are the database's own
LOCK_TIMEOUT = "30s"


class DatabaseNewer(PlainError):
    """The database was migrated by a later version of Headrace."""


class WrongFoundation(PlainError):
    """The settings ask for another time-series foundation than the database was made on."""


@dataclass(frozen=True)
class Status:
    """How a database stands to this code.

    ``revision`` is None for a database that was never migrated; ``changed`` are files of sql/ (relative to it) that
    differ from what was applied, are new, or were applied and have gone.
    """

    revision: str | None
    head: str
    pending: tuple[str, ...]
    changed: tuple[str, ...]
    foundation: str | None
    version: str | None
    newer: bool

    @property
    def current(self) -> bool:
        """Whether a migrate would find nothing to do."""
        return not (self.newer or self.pending or self.changed)


@dataclass
class Report:
    """What a migrate did. ``notices`` are sentences about what this user was not allowed to do."""

    revision: str = ""
    foundation: str | None = None
    migrations: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    seconds: float = 0.0


def migrate(url: str, settings: Settings, *, report: Callable[[str], None] | None = None) -> Report:
    """Bring the database at ``url`` to this code, in one transaction on one connection.

    Runs what is pending of migrations/, replaces everything in sql/ if any file changed, grants again and sets role
    passwords. When it raises or dies nothing has changed. Two at once are safe: the second waits for the first.
    ``report`` is told each step in a few words.

    Raises:
        DatabaseNewer: the database was migrated by later code; nothing is touched.
        WrongFoundation: ETL_TIMESERIES names another foundation than the database has.
        SqlFileError: a file of sql/ is wrong; the message names it.
        StillNeeded: something depends on an object of sql/ that must be replaced.
        psycopg.Error: what the server said of anything else.
    """
    started = monotonic()
    done = Report()
    tell = report or _nothing
    with _transaction(url) as (session, conn):
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        conn.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        before = _status(conn)
        _refuse(before, settings)
        if not before.current:
            _apply(session, conn, settings, before, done, tell)
        roles.ensure_roles(conn, settings, done.notices.append)
        done.revision, done.foundation = before.head, _foundation(conn)
    done.seconds = monotonic() - started
    return done


def status(url: str) -> Status:
    """How the database at ``url`` stands to this code. Changes nothing."""
    with psycopg.connect(url) as conn:
        return _status(conn)


def _nothing(_: str) -> None:
    """Tell nobody."""


@contextmanager
def _transaction(url: str) -> Iterator[tuple[sqlalchemy.Connection, Connection]]:
    """One connection in one transaction, as alembic takes it and as psycopg does; commits at the end."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, application_name="headrace migrate"),
        poolclass=sqlalchemy.NullPool,
        isolation_level="READ COMMITTED",  # a snapshot after the lock, whatever the database's default
        use_native_hstore=False,
    )
    with engine.begin() as session:
        driver = session.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        yield session, driver


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _status(conn: Connection) -> Status:
    revision = _one(
        conn, "engine.alembic_version", "select version_num from engine.alembic_version"
    )
    made_by = _one(
        conn,
        "engine.migration",
        "select version from engine.migration order by migration_id desc limit 1",
    )
    script = ScriptDirectory.from_config(_config())
    head = script.get_current_head() or ""
    known = [one.revision for one in reversed(list(script.walk_revisions()))]
    foundation = _foundation(conn)
    unknown = revision is not None and revision not in known
    return Status(
        revision=revision,
        head=head,
        pending=() if unknown else tuple(known[known.index(revision) + 1 if revision else 0 :]),
        changed=_changed(conn, foundation),
        foundation=foundation,
        version=made_by,
        newer=unknown or (made_by is not None and Version(made_by) > Version(_version())),
    )


def _version() -> str:
    return version(DISTRIBUTION)


def _one(conn: Connection, table: str, query: Any) -> Any:
    """First column of the first row; None where there is no such table or row."""
    if conn.execute("select to_regclass(%s)", [table]).fetchone() == (None,):
        return None
    row = conn.execute(query).fetchone()
    return row[0] if row else None


def _foundation(conn: Connection) -> str | None:
    found = _one(
        conn,
        "engine.watermark",
        "select value ->> 'foundation' from engine.watermark where name = 'timeseries'",
    )
    return None if found is None else str(found)


def _files(foundation: str | None) -> list[SqlFile]:
    return in_order(read_files(sql_folder(), foundation or ""))


def _changed(conn: Connection, foundation: str | None) -> tuple[str, ...]:
    wanted = {file.path: file.hash for file in _files(foundation)}
    applied: dict[str, str] = {}
    if conn.execute("select to_regclass('engine.sql_object')").fetchone() != (None,):
        applied = dict(conn.execute("select path, hash from engine.sql_object").fetchall())
    paths = sorted(wanted.keys() | applied.keys())
    return tuple(path for path in paths if wanted.get(path) != applied.get(path))


def _refuse(before: Status, settings: Settings) -> None:
    if before.newer:
        raise DatabaseNewer(
            f"the database is at revision {before.revision}, made by {DISTRIBUTION} {before.version};"
            f" this is {_version()} with revision {before.head}: install the later version"
        )
    asked = settings.timeseries
    if before.foundation is not None and asked not in ("auto", before.foundation):
        raise WrongFoundation(
            f"ETL_TIMESERIES is {asked}, but this database keeps its time series on {before.foundation}"
            f" since its first migrate: set auto or {before.foundation}, or migrate a new database"
        )


def _apply(
    session: sqlalchemy.Connection,
    conn: Connection,
    settings: Settings,
    before: Status,
    done: Report,
    tell: Callable[[str], None],
) -> None:
    old: set[str] = set()
    if before.revision is not None:
        old = {path for (path,) in conn.execute("select path from engine.sql_object").fetchall()}
        drop_all(conn, tell)
    conn.execute("create schema if not exists engine")
    upgrade(session, settings, before.head, tell)
    done.migrations = list(before.pending)
    there = roles.ensure_roles(conn, settings, _nothing)
    files = [
        file
        for file in _files(_foundation(conn))
        if file.kind != "grants" or file.name.rpartition(" ")[2] in {*there, "public"}
    ]
    make_all(conn, files, tell)
    done.applied = [file.path for file in files]
    done.dropped = sorted(old - set(done.applied))
    conn.execute(
        "insert into engine.migration (version, revision, files) values (%s, %s, %s)",
        [_version(), before.head, len(files)],
    )


def upgrade(
    session: sqlalchemy.Connection,
    settings: Settings,
    revision: str,
    tell: Callable[[str], None] = _nothing,
) -> None:
    """Run the migrations up to ``revision`` on this connection, in its transaction."""
    config = _config()
    config.attributes["connection"] = session
    config.attributes["timeseries"] = settings.timeseries
    tell(f"tables to revision {revision}")
    command.upgrade(config, revision)
