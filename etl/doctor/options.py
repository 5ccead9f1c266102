"""Options that are set under a name that is none: ignored, and nobody else would say so."""

import os
from collections.abc import Iterator
from difflib import get_close_matches

from etl.doctor.finding import Finding
from etl.settings import Settings, env_file

PREFIX = "ETL_"
OTHERS = ("ETL_OWNER_PASSWORD",)
"""What docker-compose.yml reads by itself."""
OURS = ("ETL_TEST_", "ETL_BENCH_")
"""What the suite and the benchmarks read begins with one of these."""


def options() -> Iterator[Finding]:
    """Warn of each name in the environment and in .env that looks like an option and is none."""
    known = [*(f"{PREFIX}{field.upper()}" for field in Settings.model_fields), *OTHERS]
    for place, given in ((".env", env_file()), ("the environment", os.environ)):
        # Names have no case, and an empty variable counts as none.
        names = {name.upper() for name, value in given.items() if value}
        for name in sorted(names.difference(known)):
            if name.startswith(PREFIX) and not name.startswith(OURS):
                yield _unknown(name, place, known)


def _unknown(name: str, place: str, known: list[str]) -> Finding:
    # Without what all of them begin with, or any two are near.
    near = get_close_matches(
        name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in known], n=1
    )
    meant = f"Is {PREFIX}{near[0]} meant? " if near else ""
    says = f"is set in {place}, but is no option: it is ignored"
    return Finding(
        name, "warning", says, f"{meant}`etl settings` lists all; take out what is none."
    )
