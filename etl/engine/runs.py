"""What ``ops.run`` keeps of a run: who ran it, what it counted, and why it failed, fit for PostgreSQL."""

import dataclasses
import math
import os
import socket
from collections.abc import Mapping, Sequence

from etl.logs import clean

SENTENCE = 2000
"""Most characters kept of an error."""


def runner() -> str:
    """This process as ``ops.run.worker`` names it: host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def sentence(error: BaseException) -> str:
    """What went wrong, for a person: the kind of the error, its message and where it came from in turn.

    Never more than :data:`SENTENCE` characters, nor any that PostgreSQL cannot store; secrets are masked.
    """
    said = [_one(error)]
    cause = error.__cause__
    while cause is not None and len(said) < 4:
        said.append(_one(cause))
        cause = cause.__cause__
    return _text(clean("; because of ".join(said)[: 4 * SENTENCE]))[:SENTENCE]


def numbers(result: object) -> object:
    """What a task returned, made of plain values that jsonb takes whatever it was."""
    return _plain(result)


def _one(error: BaseException) -> str:
    message = str(error).strip()
    kind = type(error).__name__
    if isinstance(error, ExceptionGroup):
        message += ": " + ", ".join(_one(inner) for inner in error.exceptions)
    return f"{kind}: {message}" if message else kind


def _text(value: str) -> str:
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return _text(str(value))
