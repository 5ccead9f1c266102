"""Arrays for PostgreSQL in its binary form, encoded once and handed on as they are.

The driver's own lists look at the type of every element; these do not, which is several times
quicker for the thousands of bodies of a batch.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar

from psycopg import adapters
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = Struct("!iiIii")
_LENGTH = Struct("!i")
_LENGTH_AND_INTEGER = Struct("!ii")
_NULL = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Array:
    """An array parameter, encoded. ``oid`` and ``element`` are the types of it and its elements."""

    oid: ClassVar[int]
    element: ClassVar[int]
    data: bytes

    def __len__(self) -> int:
        return int.from_bytes(self.data[12:16], "big")

    @classmethod
    def _join(cls, count: int, parts: Iterable[bytes]) -> bytes:
        return b"".join([_HEADER.pack(1, 1, cls.element, count, 1), *parts])


class TextArray(Array):
    """A text[]."""

    oid = 1009
    element = 25

    @classmethod
    def of(cls, items: Iterable[str | None]) -> "TextArray":
        """Encode strings."""
        encoded = [None if item is None else item.encode() for item in items]
        return cls(cls._join(len(encoded), _lengths(encoded)))


class IntegerArray(Array):
    """An integer[]."""

    oid = 1007
    element = 23

    @classmethod
    def of(cls, items: Collection[int | None]) -> "IntegerArray":
        """Encode numbers.

        Raises:
            struct.error: one has more than 32 bits.
        """
        pack = _LENGTH_AND_INTEGER.pack
        return cls(
            cls._join(len(items), [_NULL if item is None else pack(4, item) for item in items])
        )


class ByteaArray(Array):
    """A bytea[]."""

    oid = 1001
    element = 17

    @classmethod
    def of(cls, items: Collection[bytes | None]) -> "ByteaArray":
        """Encode bytes."""
        return cls(cls._join(len(items), _lengths(items)))


class JsonArray(Array):
    """A text[] of JSON texts: a statement parses them one by one, an array of jsonb costs a tenth more."""

    oid = TextArray.oid
    element = TextArray.element

    @classmethod
    def of(cls, items: Collection[bytes]) -> "JsonArray":
        """Encode JSON texts. The cast to jsonb refuses what is none."""
        return cls(cls._join(len(items), _lengths(items)))


def _lengths(items: Iterable[bytes | None]) -> Iterator[bytes]:
    pack = _LENGTH.pack
    for item in items:
        if item is None:
            yield _NULL
        else:
            yield pack(len(item))
            yield item


class _Dumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj.data


for _cls in (TextArray, IntegerArray, ByteaArray, JsonArray):
    adapters.register_dumper(_cls, type(f"{_cls.__name__}Dumper", (_Dumper,), {"oid": _cls.oid}))
