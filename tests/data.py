"""Where the recorded real data is: beside the repository, or where ETL_TEST_DATA says."""

import os
from pathlib import Path

import pytest

DATA = Path(
    os.environ.get("ETL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data" / "fortnite")
)


def recorded(name: str) -> Path:
    """A recorded file; fails the test with what to do where it is missing."""
    path = DATA / name
    if not path.exists():
        pytest.fail(f"recorded data {path} is missing: set ETL_TEST_DATA to the folder that has it")
    return path
