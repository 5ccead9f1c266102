"""Bringing a database to this code: tables, everything in sql/, roles and grants, all or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

import psycopg
import sqlalchemy

from etl.engine import roles
from etl.engine.revisions import Connection, driver, one_transaction, upgrade
from etl.engine.schema import (
    DISTRIBUTION,
    Status,
    applied_files,
    code_version,
    foundation,
    read_status,
    wanted_files,
)
from etl.engine.sqlobjects import drop_all, make_all
from etl.errors import PlainError
from etl.settings import Settings

Tell = Callable[[str], None]

LOCK = 0x68656164  # one migrate a database at a time: advisory locks are the database's own
PATIENCE = "30s"  # that a statement waits for the locks of workers and readers


class DatabaseNewer(PlainError):
    """The database was migrated by a later version of Headrace."""


class WrongFoundation(PlainError):
    """The settings ask for another time-series foundation than the database was made on."""


class Busy(PlainError):
    """Something else held what had to be replaced."""


@dataclass
class Report:
    """What a migrate did.

    ``applied`` and ``dropped`` are files of sql/; ``notices`` are sentences about what this user was not allowed to do.
    """

    revision: str
    foundation: str | None = None
    migrations: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    seconds: float = 0.0


def migrate(url: str, settings: Settings, *, report: Tell | None = None) -> Report:
    """Bring the database at ``url`` to this code, in one transaction on one connection.

    Runs the migrations that are pending; if any file of sql/ changed, replaces everything in sql/ and grants again;
    makes missing roles and sets their passwords. When it raises or dies, nothing has changed. Two at once are safe:
    the second waits for the first. ``report`` is told each step in a few words.

    Raises:
        Unreachable: no connection could be made.
        DatabaseNewer: the database was migrated by later code.
        WrongFoundation: ETL_TIMESERIES names another foundation than the database has.
        RevisionFailed: a migration failed; the message names it.
        SqlFileError: a file of sql/ is wrong; the message names it.
        StillNeeded: something depends on an object of sql/ that must be replaced.
        Busy: somebody held a lock for too long; try again.
    """
    started = monotonic()
    notices: list[str] = []
    with told_when_busy(), one_transaction(url) as session:
        conn = driver(session)
        conn.add_notice_handler(lambda said: _warning(said, notices))
        take_lock(conn)
        there = roles.ensure_roles(conn, notices.append)
        before = read_status(conn)
        _refuse(before, settings)
        done = Report(before.head)
        if not before.current:
            done = _bring_up(session, settings, before, report or _nothing)
        roles.set_limits(conn, there, notices.append)
        roles.set_passwords(conn, settings, there, notices.append)
        done.foundation = foundation(conn)
    done.notices, done.seconds = notices, monotonic() - started
    return done


def status(url: str) -> Status:
    """How the database at ``url`` stands to this code; changes nothing.

    Raises:
        Unreachable: no connection could be made.
    """
    with one_transaction(url) as session:
        conn = driver(session)
        conn.execute("set transaction read only")
        return read_status(conn)


def _nothing(_: str) -> None:
    """Tell nobody."""


@contextmanager
def told_when_busy() -> Iterator[None]:
    """Say that a lock was held too long.

    Raises:
        Busy: it was.
    """
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
                raise Busy(
                    f"nothing was changed, a lock was held too long ({cause.diag.message_primary}): end long"
                    " queries, or stop the workers, and migrate again"
                ) from error
            cause = cause.__cause__
        raise


def _warning(said: psycopg.errors.Diagnostic, notices: list[str]) -> None:
    if said.severity_nonlocalized == "WARNING" and said.message_primary:
        notices.append(said.message_primary)


def take_lock(conn: Connection) -> None:
    """Wait for other migrates, until the transaction ends; for locks of others no longer than PATIENCE."""
    for name in ("lock_timeout", "statement_timeout"):
        conn.execute("select set_config(%s, '0', true)", [name])
    conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    conn.execute("select set_config('lock_timeout', %s, true)", [PATIENCE])


def _refuse(before: Status, settings: Settings) -> None:
    if before.newer:
        raise DatabaseNewer(
            f"the database is at revision {before.revision}, made by {DISTRIBUTION}"
            f" {before.version}; this is {code_version()} with revision {before.head}:"
            " install the later version"
        )
    asked = settings.timeseries
    if before.foundation is not None and asked not in ("auto", before.foundation):
        raise WrongFoundation(
            f"ETL_TIMESERIES is {asked}, but since its first migrate this database keeps its time"
            f" series on {before.foundation}: set auto or {before.foundation}, or migrate a new"
            " database"
        )


def _bring_up(
    session: sqlalchemy.Connection, settings: Settings, before: Status, tell: Tell
) -> Report:
    conn = driver(session)
    had = applied_files(conn)
    if had:
        tell(f"drop what {len(had)} files made")
        drop_all(conn)
    conn.execute("create schema if not exists engine")
    for revision in before.pending:
        tell(f"migration {revision}")
        upgrade(session, settings, revision)
    applied = make_objects(conn, before.head, tell)
    return Report(
        before.head,
        migrations=list(before.pending),
        applied=applied,
        dropped=sorted(had.keys() - set(applied)),
    )


def make_objects(conn: Connection, revision: str, tell: Tell) -> list[str]:
    """Make everything in sql/ that this database should have, and note it; gives the files."""
    files = wanted_files(conn)
    make_all(conn, files, tell)
    conn.execute(
        "insert into engine.migration (version, revision, files) values (%s, %s, %s)",
        [code_version(), revision, len(files)],
    )
    return [file.path for file in files]
