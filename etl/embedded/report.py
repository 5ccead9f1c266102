"""How far a server's start has come, told to whoever shows it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Report(Protocol):
    """Shows progress."""

    def step(self, server: str, text: str, /) -> None:
        """``server`` is at this step now."""

    def done(self, server: str, text: str, /) -> None:
        """``server`` is where it was to be."""

    def bar(
        self, server: str, text: str, total: int, /
    ) -> AbstractContextManager[Callable[[int], None]]:
        """A step of known size: the function takes how much more has been done."""


class Silent:
    """Shows nothing."""

    def step(self, _server: str, _text: str, /) -> None:
        """Say nothing."""

    def done(self, _server: str, _text: str, /) -> None:
        """Say nothing."""

    def bar(
        self, _server: str, _text: str, _total: int, /
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Count nothing."""
        return nullcontext(lambda _: None)
