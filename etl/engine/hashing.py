"""Whether a body is the one we have: its hash, without what changes at every fetch."""

from collections.abc import Callable
from hashlib import blake2b

import orjson

from etl.engine.items import Resource

GONE = b""
"""Stands for "upstream has it no more", which is no body."""


def hasher(resource: Resource) -> Callable[[bytes], bytes]:
    """What gives the BLAKE2b-128 hash of a body of ``resource``.

    Of the bytes as received; where the resource has volatile paths, of the body without them, its
    keys sorted. That one raises ValueError for what is no JSON, or nested too deeply.
    """
    if not resource.volatile:
        return _of_bytes
    paths = [path.split(".") for path in resource.volatile]

    def of_rest(body: bytes) -> bytes:
        value = orjson.loads(body)
        for path in paths:
            _drop(value, path)
        try:
            return _of_bytes(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))
        except TypeError:  # it reads what is four times as deep as what it writes
            raise ValueError("nested too deeply") from None

    return of_rest


def _of_bytes(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _drop(value: object, path: list[str]) -> None:
    """Remove what ``path`` leads to; a list on the way stands for each of its elements."""
    if isinstance(value, list):
        for element in value:
            _drop(element, path)
    elif isinstance(value, dict) and len(path) == 1:
        value.pop(path[0], None)
    elif isinstance(value, dict) and path[0] in value:
        _drop(value[path[0]], path[1:])
