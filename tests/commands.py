"""The installed ``etl`` command, run as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from etl.settings import Settings

ETL = Path(sys.executable).with_name("etl")


def run_etl(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | str = "/",
    timeout: float = 100,
) -> subprocess.CompletedProcess[str]:
    """Run ``etl ARGUMENTS`` to its end. Of this process's options it sees none but ``env``."""
    return subprocess.run(
        [ETL, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=cwd,
        env=environment(env),
    )


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without ``ETL_*``, and ``extra``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ETL_")}
    return kept | dict(extra or {})


def variables(settings: Settings) -> dict[str, str]:
    """The variables that make another process build ``settings``: what was set, secrets included."""
    found = {}
    for field in settings.model_fields_set:
        value = getattr(settings, field)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if isinstance(value, tuple):
            value = ",".join(value)
        if value is not None:
            found[f"ETL_{field.upper()}"] = str(value)
    return found
