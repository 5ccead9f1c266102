"""Databases that nobody migrated yet, and small sources of their own to migrate them with."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from etl.engine.sqlfiles import migrations_folder
from etl.settings import Settings
from tests.conftest import drop, with_database

ONE = """create function engine.one() returns integer language sql as $$ select 1; $$;
comment on function engine.one() is 'One';
"""
TWO = """-- requires: engine.one
create view engine.two as select engine.one() + 1 as two;
"""


def ask(url: str, query: str) -> object:
    """The one value a query gives; None for a statement that gives nothing."""
    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


@pytest.fixture
def new_database(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases; gives the URL of each, as superuser."""
    names: list[str] = []
    with psycopg.connect(postgres_url, autocommit=True) as admin:

        def make() -> str:
            name = f"empty_{secrets.token_hex(6)}"
            # A database without an extension that the template may have.
            admin.execute(
                sql.SQL("create database {} template template0 strategy file_copy").format(
                    sql.Identifier(name)
                )
            )
            names.append(name)
            return with_database(postgres_url, name)

        yield make
        for name in names:
            drop(admin, name)


@pytest.fixture
def empty_url(new_database: Callable[[], str]) -> str:
    """URL of an empty database."""
    return new_database()


@pytest.fixture
def options(empty_url: str) -> Settings:
    """Options of a set-up with a server of its own."""
    return Settings(database_url=SecretStr(empty_url))


@dataclass(frozen=True)
class Sources:
    """Folders a test may change: sql/, empty, and migrations/ with the first revision of the real one."""

    sql: Path
    migrations: Path

    def write(self, path: str, text: str) -> None:
        """Write a file of sql/."""
        (self.sql / path).parent.mkdir(parents=True, exist_ok=True)
        (self.sql / path).write_text(text)

    def revise(self, revision: str, after: str, statement: str) -> None:
        """Add a migration."""
        (self.migrations / "versions" / f"{revision}.py").write_text(
            f"from alembic import op\nrevision = {revision!r}\ndown_revision = {after!r}\n"
            f"def upgrade():\n    op.execute({statement!r})\n"
        )


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Sources of the test's own, which every migrate of the test uses."""
    own = Sources(tmp_path / "sql", tmp_path / "migrations")
    (own.migrations / "versions").mkdir(parents=True)
    own.sql.mkdir()
    real = migrations_folder()
    shutil.copy(real / "env.py", own.migrations)
    shutil.copy(real / "versions" / "0001_foundations.py", own.migrations / "versions")
    monkeypatch.setattr("etl.engine.schema.sql_folder", lambda: own.sql)
    monkeypatch.setattr("etl.engine.revisions.migrations_folder", lambda: own.migrations)
    return own
