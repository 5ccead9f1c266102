"""Servers of a benchmark's own, with the options of an ordinary `etl up`."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import LiteralString

import psycopg

from etl import embedded
from etl.embedded.process import free_port
from etl.embedded.servers import Name
from etl.settings import Settings


@contextmanager
def own(*names: Name) -> Iterator[Settings]:
    """Options of a home whose servers of these names run; stopped and deleted at exit."""
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    options = Settings(home=home)
    try:
        embedded.up(options, names)
        yield options
    finally:
        embedded.down(options)
        shutil.rmtree(home)


@contextmanager
def postgres() -> Iterator[str]:
    """URL of an empty database on a PostgreSQL that runs until exit."""
    with own("postgres") as options:
        yield embedded.database_url(options)


@contextmanager
def logical(options: Settings) -> Iterator[None]:
    """Let the PostgreSQL of this home offer logical replication, until exit alone: it makes writes dearer."""
    _tell(options, "alter system set wal_level = 'logical'")
    try:
        yield
    finally:
        # With a slot left PostgreSQL would not start at another level.
        _tell(
            options,
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots",
            "alter system reset wal_level",
        )


def _tell(options: Settings, *statements: LiteralString) -> None:
    """Run statements and start PostgreSQL anew."""
    with psycopg.connect(embedded.database_url(options), autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)
    embedded.down(options, ["postgres"])
    embedded.up(options, ["postgres"])


@contextmanager
def redis(folder: Path) -> Iterator[int]:
    """Port of an empty Redis that keeps nothing; stopped at exit."""
    port = free_port(None)
    with subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder,
         "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        try:
            _answers(port)
            yield port
        finally:
            server.terminate()


def _answers(port: int, *, seconds: float = 10) -> None:
    """Wait until somebody listens at a port."""
    end = monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if monotonic() > end:
                raise
            sleep(0.05)
        else:
            return
