"""Samples of the past as a file tells them: what a line says, and what is wrong with one that cannot be read."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import orjson

from etl.errors import PlainError

STEP_S = 600
MOST_LINES = 20_000  # of a batch, which is one transaction
MOST_ISLANDS = 5_000  # of a batch: a transaction marks no more documents
MOST_COUNT = 2**31 - 1
MOST_BYTES = 2_000  # kept of a bad line
EARLIEST = datetime(2018, 12, 6, tzinfo=UTC)  # islands can be played since then

Column = Literal["island", "instant", "value"]
NAMES: dict[Column, tuple[str, ...]] = {
    "island": ("island", "island_code", "code"),
    "instant": ("instant", "ts", "timestamp", "time"),
    "value": ("value", "ccu", "players"),
}

_CODE = re.compile(rb"[\x21-\x7e]{1,200}")
_SECONDS = re.compile(rb"[0-9]{9,10}")
_MILLISECONDS = re.compile(rb"[0-9]{12,13}")
_WHOLE = re.compile(rb"\+?0*([0-9]{1,18})(?:\.0*)?")
_NEGATIVE = re.compile(rb"-[0-9.]{1,40}")
_ABSENT = {b"", b"null", b"none", b"nan", b"na", b"\\n"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(seconds=STEP_S)


class Unreadable(PlainError):
    """A file that has no samples in a form we know."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that cannot be taken, by its number from 1; ``body`` is its beginning."""

    line: int
    key: str | None
    reason: str
    body: bytes


@dataclass(slots=True)
class Batch:
    """Lines of a file, read: its samples in columns, and what else there was.

    ``until`` and ``lines`` say how far the file is read with them. ``nth`` are places in ``codes`` from 1, ``steps``
    ten-minute steps since 1970, ``numbers`` the lines of the samples.
    """

    until: int
    lines: int
    codes: dict[bytes, int] = field(default_factory=dict)
    nth: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    ccu: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    skipped: int = 0
    bad: list[Bad] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether it takes no further line."""
        return (
            len(self.ccu) + self.skipped + len(self.bad) >= MOST_LINES
            or len(self.codes) >= MOST_ISLANDS
        )

    def add(self, code: bytes, instant: bytes, value: bytes, since: int) -> None:
        """Take what the latest line says; what is before the step ``since`` is left out.

        Raises:
            ValueError: it cannot be taken; the message says why.
        """
        ccu = int(value) if value.isdigit() and len(value) < 10 else count_of(value)
        step = step_of(instant)
        nth = self.codes.get(code)
        if nth is None and not _CODE.fullmatch(code):
            raise ValueError(f"its island is no code of 1 to 200 plain letters: {_shown(code)}")
        if ccu is None or step < since:
            self.skipped += 1
            return
        if nth is None:
            nth = self.codes[code] = len(self.codes) + 1
        self.nth.append(nth)
        self.steps.append(step)
        self.ccu.append(ccu)
        self.numbers.append(self.lines)

    def without(self, why: Callable[[bytes, int], str | None]) -> "Batch":
        """The batch without the samples, by code and step, that there is a reason against: they are set aside."""
        codes = list(self.codes)
        kept = Batch(self.until, self.lines, skipped=self.skipped, bad=list(self.bad))
        samples = zip(self.nth, self.steps, self.ccu, self.numbers, strict=True)
        for nth, step, ccu, number in samples:
            code = codes[nth - 1]
            reason = why(code, step)
            if reason is None:
                kept.nth.append(kept.codes.setdefault(code, len(kept.codes) + 1))
                kept.steps.append(step)
                kept.ccu.append(ccu)
                kept.numbers.append(number)
            else:
                name = code.decode("ascii")
                sample = {"ts": at_step(step), "code": name, "ccu": ccu}
                kept.bad.append(Bad(number, name, reason, orjson.dumps(sample)))
        kept.bad.sort(key=lambda one: one.line)
        return kept

    def refuse(self, code: bytes | None, reason: str, body: bytes) -> None:
        """Set the latest line aside."""
        key = code.decode("ascii") if code is not None and _CODE.fullmatch(code) else None
        self.bad.append(Bad(self.lines, key, reason, body[:MOST_BYTES]))


def count_of(value: bytes) -> int | None:
    """How many players a text says; None where it is below zero or absent, which is no sample.

    Raises:
        ValueError: it is no whole number, or one of more than 31 bits.
    """
    text = value.strip()
    if text.lower() in _ABSENT or _NEGATIVE.fullmatch(text):
        return None
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise ValueError(f"its value is no whole number: {_shown(value)}")
    if int(whole[1]) > MOST_COUNT:
        raise ValueError(f"its value is more than {MOST_COUNT:,}: {_shown(value)}")
    return int(whole[1])


@lru_cache(maxsize=65_536)
def step_of(text: bytes) -> int:
    """The ten-minute step since 1970 in which an instant lies.

    ISO 8601, UTC where it names no zone, or seconds or milliseconds since 1970.

    Raises:
        ValueError: it is no instant, or lies before islands could be played.
    """
    instant = text.strip() if len(text) < 100 else text
    if _SECONDS.fullmatch(instant):
        at = _EPOCH + timedelta(seconds=int(instant))
    elif _MILLISECONDS.fullmatch(instant):
        at = _EPOCH + timedelta(milliseconds=int(instant))
    else:
        at = _iso(instant)
    if at < EARLIEST:
        raise ValueError(
            f"it is of {at:%Y-%m-%d}: nobody played an island before {EARLIEST:%Y-%m-%d}"
        )
    return (at - _EPOCH) // _STEP


def _iso(text: bytes) -> datetime:
    # A day alone does not say when on it; what is longer than any instant is not looked at, nor remembered.
    if 13 <= len(text) <= 40:
        with suppress(ValueError, OverflowError):
            at = datetime.fromisoformat(text.decode("ascii"))
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    raise ValueError(f"its instant is none: {_shown(text)}")


def at_step(step: int) -> datetime:
    """When a ten-minute step begins."""
    return _EPOCH + step * _STEP


def columns(name: str, header: Sequence[str]) -> tuple[int, int, int]:
    """Where a file has island, instant and value.

    Raises:
        Unreadable: it lacks one.
    """
    found = [one.strip().lower() for one in header]
    places = []
    for column, names in NAMES.items():
        place = next((found.index(one) for one in names if one in found), None)
        if place is None:
            there = ", ".join(repr(one[:40]) for one in header[:20])
            raise Unreadable(
                f"{name}: no column has the {column}: it is named {' or '.join(names)}; "
                f"the header has {there}"
            )
        places.append(place)
    return places[0], places[1], places[2]


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "replace"))
