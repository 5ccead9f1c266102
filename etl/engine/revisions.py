"""The migrations of the tables: which there are, and running them on a connection that is already open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict

from etl.engine.sqlfiles import migrations_folder
from etl.errors import PlainError
from etl.settings import Settings

Connection = psycopg.Connection[Any]


class Unreachable(PlainError):
    """The database does not let us in."""


class RevisionFailed(PlainError):
    """A migration of the tables failed."""


@contextmanager
def one_transaction(url: str) -> Iterator[sqlalchemy.Connection]:
    """One connection in one transaction, as alembic takes it; :func:`driver` gives it as psycopg.

    Commits at the end; an exception, or the end of the process, undoes everything.

    Raises:
        Unreachable: no connection could be made.
    """
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(url),
        poolclass=sqlalchemy.NullPool,
        # What is read after a lock must be what the lock's last holder left, whatever the default.
        isolation_level="READ COMMITTED",
        use_native_hstore=False,
    )
    with engine.begin() as session:
        yield session


def driver(session: sqlalchemy.Connection) -> Connection:
    """The connection of ``session`` as psycopg knows it."""
    found = session.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def _connect(url: str) -> Connection:
    try:
        return psycopg.connect(url, application_name="headrace migrate")
    except psycopg.OperationalError as error:
        where = conninfo_to_dict(url)
        raise Unreachable(
            f"cannot connect to database {where.get('dbname')} at {where.get('host')}"
            f":{where.get('port', 5432)} as {where.get('user')}: {str(error).strip()}"
        ) from error


def revisions() -> list[str]:
    """Every revision this code knows, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [one.revision for one in reversed(list(script.walk_revisions()))]


def declared(revision: str, name: str) -> str | tuple[str, ...]:
    """SQL that a migration has under a name: migrations do not change, so it is what they made."""
    script = ScriptDirectory.from_config(_config()).get_revision(revision)
    assert script is not None
    found: str | tuple[str, ...] = getattr(script.module, name)
    return found


def upgrade(session: sqlalchemy.Connection, settings: Settings, revision: str) -> None:
    """Run the migrations up to ``revision`` in the transaction of ``session``.

    Raises:
        RevisionFailed: the server refused a statement; the message names the revision.
    """
    config = _config()
    config.attributes["connection"] = session
    config.attributes["timeseries"] = settings.timeseries
    try:
        command.upgrade(config, revision)
    except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
        said = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
        raise RevisionFailed(f"migration {revision}: {said}") from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
