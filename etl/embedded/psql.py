"""psql on the pipeline's database, the password never on its command line."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from etl.embedded.access import database_url
from etl.embedded.home import Home
from etl.embedded.postgres_build import package_bin
from etl.embedded.state import SECRET
from etl.errors import PlainError
from etl.settings import Settings

Role = Literal["owner", "worker", "analyst", "operator"]


def psql_line(settings: Settings, role: Role) -> str:
    """A shell line without a password that opens psql as ``role``.

    Raises:
        NotRunning: there is no server.
        PlainError: there is no psql.
    """
    where = _where(settings, role)
    if settings.database_url is None:
        program = "psql" if shutil.which("psql") else shlex.quote(str(find_psql(settings)))
        pgpass = shlex.quote(str(Home(settings.home).pgpass))
        return (
            f"PGPASSFILE={pgpass} {program} -h {where['host']} -p {where['port']} "
            f"-U {where['user']} {where['dbname']}"
        )
    return f"psql {shlex.quote(make_conninfo('', **_without_password(where)))}"


def psql_call(
    settings: Settings, role: Role, arguments: list[str]
) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of psql as ``role``; the password is in the environment.

    Raises:
        NotRunning: there is no server.
        PlainError: there is no psql.
    """
    where = _where(settings, role)
    command = [
        str(find_psql(settings)),
        f"--dbname={make_conninfo('', **_without_password(where))}",
        *arguments,
    ]
    env = dict(os.environ)
    if where.get("password"):
        env["PGPASSWORD"] = str(where["password"])
    return command, env


def find_psql(settings: Settings) -> Path:
    """The psql of the build or the package; at a terminal that of PATH, which edits lines.

    Raises:
        PlainError: there is none.
    """
    on_path = shutil.which("psql")
    if on_path and sys.stdin is not None and sys.stdin.isatty():
        return Path(on_path)
    folder = settings.postgres_bin or package_bin()
    if (folder / "psql").exists():
        return folder / "psql"
    if on_path:
        return Path(on_path)
    raise PlainError(
        f"there is no psql in {folder} nor on PATH: install one (Debian: postgresql-client)"
    )


def _where(settings: Settings, role: Role) -> dict[str, str]:
    """Connection parameters of the database as ``role``."""
    where = {
        name: str(value)
        for name, value in conninfo_to_dict(database_url(settings)).items()
        if value is not None
    }
    if role == "owner":
        return where
    user = f"etl_{role}"
    if settings.database_url is None:
        password = Home(settings.home).passwords()[user]
    else:
        password = getattr(settings, f"{role}_password")
    secret = {"password": password.get_secret_value()} if password else {}
    return _without_password(where) | {"user": user} | secret


def _without_password(where: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in where.items() if name not in SECRET}
