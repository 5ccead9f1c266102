"""Taking a page of JSON apart into the bytes of its items, so that a bad one does not sink it.

msgspec does it at the speed of reading, but refuses the whole page for half a surrogate pair, a NaN
or a control character in one item. Then the slower standard parser finds where each item ends.
"""

import json
import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

T = TypeVar("T")

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
# It is to tell where an item ends: numbers are not looked at, since one of 5,000 digits is refused as an integer.
_TOLERANT = json.JSONDecoder(strict=False, parse_int=str)
_SPACE = frozenset(" \t\n\r")
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class NotSplit(ValueError):
    """The bytes are not JSON of the form asked for; says why."""


def members(body: bytes) -> dict[str, bytes]:
    """The values of a JSON object as the bytes they came in; of a key given twice the last.

    Raises:
        NotSplit: ``body`` is no JSON object.
    """
    try:
        return {key: bytes(value) for key, value in _MEMBERS.decode(body).items()}
    except (ValueError, RecursionError):
        return dict(_walk(body, "{}"))


def elements(body: bytes) -> list[bytes]:
    """The items of a JSON array as the bytes they came in.

    Raises:
        NotSplit: ``body`` is no JSON array.
    """
    try:
        return [bytes(value) for value in _ELEMENTS.decode(body)]
    except (ValueError, RecursionError):
        return [value for _, value in _walk(body, "[]")]


def read(item: bytes, shape: type[T]) -> T:
    """An item as ``shape``.

    Raises:
        ValueError: it is no JSON, or not of that shape; the message is for a person.
    """
    try:
        return msgspec.json.decode(item, type=shape)
    except msgspec.ValidationError:
        raise
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        why = "half a surrogate pair" if _HALF_PAIR.search(item) else str(error)
        raise ValueError(f"no valid JSON: {why}") from None


def _walk(body: bytes, brackets: str) -> list[tuple[str, bytes]]:
    """Keys (empty in an array) and values of an object or array, values as bytes."""
    text = body.decode("utf-8", "surrogateescape")
    try:
        return [
            (key, text[start:end].encode("utf-8", "surrogateescape"))
            for key, start, end in _parts(text, brackets)
        ]
    except json.JSONDecodeError as error:
        raise NotSplit(f"it is no JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise NotSplit("it is nested too deeply") from None


def _parts(text: str, brackets: str) -> Iterator[tuple[str, int, int]]:
    at = _mark(text, _after_space(text, 0), brackets[0])
    if text[at : at + 1] == brackets[1]:
        return
    while True:
        key = ""
        if brackets == "{}":
            if text[at : at + 1] != '"':
                raise json.JSONDecodeError("expected a key", text, at)
            key, end = _TOLERANT.raw_decode(text, at)
            at = _mark(text, _after_space(text, end), ":")
        _, end = _TOLERANT.raw_decode(text, at)
        yield key, at, end
        at = _after_space(text, end)
        if text[at : at + 1] == brackets[1]:
            break
        at = _mark(text, at, ",")
    if _after_space(text, at + 1) != len(text):
        raise json.JSONDecodeError("something after the end", text, at + 1)


def _mark(text: str, at: int, mark: str) -> int:
    """Where the next thing begins after ``mark``, which must stand at ``at``."""
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError(f"expected {mark}", text, at)
    return _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] in _SPACE:
        at += 1
    return at
