"""The folder of the embedded servers: where each thing lies in it, and its secrets."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import SecretStr

from etl.errors import PlainError

OWNER = "postgres"
ROLES = ("etl_worker", "etl_analyst", "etl_operator")
PATIENCE = 600.0


class ServerFailed(PlainError):
    """An embedded server cannot be started, found or stopped; says why and what its log says."""


@dataclass(frozen=True)
class Home:
    """Paths below ``ETL_HOME``. Nothing is made until it is needed."""

    path: Path

    def folder(self, server: str) -> Path:
        """Everything of one server."""
        return self.path / server

    @property
    def pgpass(self) -> Path:
        """A libpq password file for the owner and the roles of the embedded PostgreSQL."""
        return self.path / "pgpass"

    @contextmanager
    def locked(self, server: str) -> Iterator[None]:
        """Make the folder and be the one process that starts or stops ``server``.

        Raises:
            ServerFailed: another process has been at it for ten minutes, or the folder is not ours.
        """
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            with FileLock(self.path / f".{server}.lock", timeout=PATIENCE):
                yield
        except Timeout as error:
            raise ServerFailed(
                f"another process has been starting or stopping {server} for {PATIENCE:.0f} "
                f"seconds (it holds {error.lock_file}): end it, then try again"
            ) from error
        except OSError as error:
            raise self._unusable(error) from error

    def passwords(self) -> dict[str, SecretStr]:
        """Passwords of the owner and the roles, made once, in a file only its user can read.

        Raises:
            ServerFailed: the file belongs to somebody else or holds something else.
        """
        file = self.path / "passwords.json"
        try:
            if not file.exists():
                with self.locked("passwords"):
                    _make_passwords(file)
            kept: dict[str, str] = json.loads(file.read_bytes())
            return {name: SecretStr(kept[name]) for name in (OWNER, *ROLES)}
        except OSError as error:
            raise self._unusable(error) from error
        except (ValueError, KeyError) as error:
            raise ServerFailed(
                f"{file} is damaged: restore it, or delete {self.path} to start without its data"
            ) from error

    def write_pgpass(self, port: int) -> None:
        """Write the password file for a server at ``port``."""
        lines = (
            f"127.0.0.1:{port}:*:{name}:{password.get_secret_value()}\n"
            for name, password in self.passwords().items()
        )
        write(self.pgpass, "".join(lines))

    def _unusable(self, error: OSError) -> ServerFailed:
        said = f"{error.filename or self.path}: {error.strerror or error}"
        if isinstance(error, PermissionError):
            said += (
                f". The servers in {self.path} belong to the user who started them: run as that "
                "user, or set ETL_HOME to a folder of your own"
            )
        return ServerFailed(said)


def write(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace the file ``path`` in one step. By default only its owner can read it.

    The folder may belong to a less trusted account: a link planted there is replaced, not followed.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    opened = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(opened, "w") as file:
        os.fchmod(opened, mode)
        file.write(text)
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """What a small JSON object file holds; empty when it is missing or damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _make_passwords(file: Path) -> None:
    # Another process may have been first, while this one waited for the lock.
    if not file.exists():
        made = {name: secrets.token_urlsafe(24) for name in (OWNER, *ROLES)}
        write(file, json.dumps(made, indent=2))
