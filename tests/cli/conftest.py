"""Running commands in this process, which is quicker than a process each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from etl.cli import main
from etl.settings import settings


class Done(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str


Etl = Callable[..., Done]


@pytest.fixture
def etl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Etl:
    """Runs ``etl ARGUMENTS`` in an empty folder; of all options it sees only those of ``env``."""

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> Done:
        settings.cache_clear()
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            status = main.run(arguments)
        return Done(status, *capsys.readouterr())

    return run
