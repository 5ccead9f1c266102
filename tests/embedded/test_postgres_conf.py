"""What the embedded PostgreSQL takes of a machine."""

from types import SimpleNamespace

import psutil
import pytest

from etl.embedded.postgres_conf import buffers


@pytest.mark.parametrize(("gigabytes", "expected"), [(2, 256), (8, 512), (64, 1024)])
def test_what_processes_share_follows_the_machine(
    monkeypatch: pytest.MonkeyPatch, gigabytes: int, expected: int
) -> None:
    total = gigabytes * 2**30
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=total))
    assert buffers() == expected
