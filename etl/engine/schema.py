"""How a database stands to this code: its revision, the files of sql/ it was given, and who made it."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, LiteralString

import psycopg
from packaging.version import Version

from etl.engine.revisions import revisions
from etl.engine.sqlfiles import SqlFile, in_order, read_files, sql_folder

Connection = psycopg.Connection[Any]

DISTRIBUTION = "headrace"


@dataclass(frozen=True)
class Status:
    """How a database stands to this code.

    ``revision`` is None for a database that was never migrated. ``changed`` are files of sql/, relative to it, that
    differ from what was applied, are new, or have gone. ``version`` is the one that migrated last.
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


def read_status(conn: Connection) -> Status:
    """Read how the database stands to this code. Changes nothing."""
    known = revisions()
    revision = _one(
        conn, "engine.alembic_version", "select version_num from engine.alembic_version"
    )
    made_by = _one(
        conn,
        "engine.migration",
        "select version from engine.migration order by migration_id desc limit 1",
    )
    unknown = revision is not None and revision not in known
    after = known.index(revision) + 1 if revision in known else 0
    return Status(
        revision=revision,
        head=known[-1],
        pending=() if unknown else tuple(known[after:]),
        changed=_changed(conn),
        foundation=foundation(conn),
        version=made_by,
        newer=unknown or (made_by is not None and Version(made_by) > Version(code_version())),
    )


def code_version() -> str:
    """Version of the installed distribution."""
    return version(DISTRIBUTION)


def foundation(conn: Connection) -> str | None:
    """What the database keeps its time series on, as its first migrate recorded it."""
    return _one(
        conn,
        "engine.watermark",
        "select value ->> 'foundation' from engine.watermark where name = 'timeseries'",
    )


def wanted_files(conn: Connection) -> list[SqlFile]:
    """Files of sql/ this database should have, in order of application.

    Those of its own time-series foundation, and the grants of roles that exist.
    """
    roles = {name for (name,) in conn.execute("select rolname from pg_roles")} | {"public"}
    # Before the first migrate either foundation will do: it only tells that everything is still to be applied.
    files = read_files(sql_folder(), foundation(conn) or "plain")
    return in_order(file for file in files if file.role is None or file.role in roles)


def applied_files(conn: Connection) -> dict[str, str]:
    """Hash, by path, of each file of sql/ this database was given."""
    if not _exists(conn, "engine.sql_object"):
        return {}
    return dict(conn.execute("select path, hash from engine.sql_object").fetchall())


def _changed(conn: Connection) -> tuple[str, ...]:
    wanted = {file.path: file.hash for file in wanted_files(conn)}
    applied = applied_files(conn)
    paths = sorted(wanted.keys() | applied.keys())
    return tuple(path for path in paths if wanted.get(path) != applied.get(path))


def _exists(conn: Connection, table: str) -> bool:
    return conn.execute("select to_regclass(%s)", [table]).fetchone() != (None,)


def _one(conn: Connection, table: str, query: LiteralString) -> str | None:
    """First column of the first row; None where there is no such table or row."""
    row = conn.execute(query).fetchone() if _exists(conn, table) else None
    return row[0] if row else None
