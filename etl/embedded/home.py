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
    """An embedded server cannot be started, found or stopped; the message says why and where its log is."""


@dataclass(frozen=True)
class Home:
    """Paths below ``ETL_HOME``. Nothing is made until it is needed."""

    path: Path

    def folder(self, server: str) -> Path:
        """Everything of one server."""
        return self.path / server

    def log(self, server: str) -> Path:
        """Folder of one server's log files."""
        return self.folder(server) / "log"

    @property
    def pgpass(self) -> Path:
        """A libpq password file for the owner and the roles of the embedded PostgreSQL."""
        return self.path / "pgpass"

    def make(self) -> None:
        """Make the folder, which other users may pass through and not list.

        Raises:
            ServerFailed: it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / "passwords.json").exists():
                self.path.chmod(0o711)
        except OSError as error:
            raise self._unusable(error) from error

    def lock(self, name: str) -> FileLock:
        """The lock file ``name``."""
        self.make()
        return FileLock(self.path / f".{name}.lock", timeout=PATIENCE)

    def passwords(self) -> dict[str, SecretStr]:
        """Passwords of the owner and the roles, made once and kept in a file only its user can read.

        Raises:
            ServerFailed: the file belongs to somebody else or holds something else.
        """
        file = self.path / "passwords.json"
        try:
            if not file.exists():
                with self.lock("passwords"):
                    self._make_passwords(file)
            kept: dict[str, str] = json.loads(file.read_bytes())
            return {name: SecretStr(kept[name]) for name in (OWNER, *ROLES)}
        except OSError as error:
            raise self._unusable(error) from error
        except (ValueError, KeyError) as error:
            raise ServerFailed(
                f"{file} is damaged: restore it, or delete {self.path} to start again without its data"
            ) from error

    def write_pgpass(self, port: int) -> None:
        """Write the password file for a server at ``port``."""
        lines = (
            f"127.0.0.1:{port}:*:{name}:{password.get_secret_value()}\n"
            for name, password in self.passwords().items()
        )
        write_private(self.pgpass, "".join(lines))

    def _make_passwords(self, file: Path) -> None:
        if file.exists():
            return
        made = {name: secrets.token_urlsafe(24) for name in (OWNER, *ROLES)}
        write_private(file, json.dumps(made, indent=2))

    def _unusable(self, error: OSError) -> ServerFailed:
        return ServerFailed(
            f"{error.filename or self.path}: {error.strerror}. Servers in {self.path} belong to the user who "
            "started them: run as that user, or set ETL_HOME to a folder of your own"
        )


def write_private(path: Path, text: str) -> None:
    """Replace the file ``path`` in one step by one that only its owner can read or write."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """What a small JSON object file holds; empty when it is missing or damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


@contextmanager
def locked(home: Home, name: str) -> Iterator[None]:
    """Hold the lock that lets one process at a time start or stop the server ``name``.

    Raises:
        ServerFailed: another process holds it for ten minutes.
    """
    lock = home.lock(name)
    try:
        lock.acquire()
    except Timeout as error:
        raise ServerFailed(
            f"another process has been starting or stopping {name} for {PATIENCE:.0f} seconds "
            f"(it holds {lock.lock_file}): end it, then try again"
        ) from error
    try:
        yield
    finally:
        lock.release()
