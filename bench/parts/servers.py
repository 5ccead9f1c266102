"""Servers of a benchmark's own, with the options of an ordinary `etl up`."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etl import embedded
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
