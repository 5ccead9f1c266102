"""A worker whose clock is wrong."""

import sys
from datetime import datetime, timedelta, tzinfo
from typing import Self

import pytest


def set_ahead(patch: pytest.MonkeyPatch, by: timedelta = timedelta(hours=1)) -> None:
    """Let everything of ours that has been imported look at a clock that is so far ahead."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + by

    for name, module in list(sys.modules.items()):
        if name.startswith("etl.") and getattr(module, "datetime", None) is datetime:
            patch.setattr(module, "datetime", Ahead)
