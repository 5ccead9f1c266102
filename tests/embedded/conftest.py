"""Homes of a test's own, whose servers are stopped after it."""

import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from etl import embedded
from etl.settings import Settings
from tests.conftest import HOMES, server_settings
from tests.embedded.postmaster import POSTGRES


@pytest.fixture
def fresh_home() -> Iterator[Settings]:
    """Options of a home nobody has used yet. Its name has what quoting must survive."""
    home = Path(tempfile.mkdtemp(prefix="headrace it's-", dir=HOMES))
    try:
        yield server_settings(home)
    finally:
        embedded.down(server_settings(home))
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def own_home() -> Iterator[Settings]:
    """Options of a home that the tests of one module share, and may do violence to."""
    home = Path(tempfile.mkdtemp(prefix="headrace-own-", dir=HOMES))
    try:
        yield server_settings(home)
    finally:
        embedded.down(server_settings(home))
        shutil.rmtree(home)


@pytest.fixture
def ordinary_user(servers_home: Path) -> Iterator[pwd.struct_passwd]:
    """A user without privileges who can run this Python: nobody, or whoever runs the tests.

    The way to it is shut again after the test: one of them has it open at a time.
    """
    if os.geteuid() != 0:
        yield pwd.getpwuid(os.geteuid())
        return
    with FileLock(servers_home / "way.lock"), _way_to_this_python():
        yield pwd.getpwnam("nobody")


@contextmanager
def _way_to_this_python() -> Iterator[None]:
    opened = []
    for program in (Path(sys.executable), Path(sys.executable).resolve(), Path(__file__)):
        for folder in program.parents:
            mode = stat.S_IMODE(folder.stat().st_mode)
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
                opened.append((folder, mode))
    try:
        yield
    finally:
        for folder, mode in opened:
            folder.chmod(mode)


@pytest.fixture
def running(own_home: Settings) -> Settings:
    """A home whose server runs, whatever the test before did to it."""
    embedded.up(own_home, POSTGRES)
    return own_home
