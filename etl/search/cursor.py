"""Where a reader of many pages has come to: opaque to them, checked when it comes back."""

import base64
import hashlib

import msgspec

from etl.search.filters import BadQuery

LONGEST = 1000


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The last hit's sort values, and what was decided when the first page was asked for."""

    query: str
    mode: int
    leader: str | None
    values: list[int | float | str | None]


def fingerprint(query: object) -> str:
    """A short name of a query that is the same for the same query, in every process."""
    return hashlib.blake2b(repr(query).encode(errors="replace"), digest_size=9).hexdigest()


def write(cursor: Cursor) -> str:
    """The cursor as a reader is given it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read(text: str, query: str, *, values: int) -> Cursor:
    """The cursor that ``text`` is, for the query it was made for, with as many sort values as it sorts by.

    Raises:
        BadQuery: it was made up, cut, or given for another query.
    """
    try:
        padded = text[:LONGEST].encode() + b"=" * (-len(text) % 4)
        raw = base64.b64decode(padded, b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise made_up(text) from error
    if cursor.query != query or len(cursor.values) != values or cursor.mode not in {0, 1, 2}:
        raise BadQuery(f"after is {text[:40]!r}: it belongs to another query or sort")
    return cursor


def made_up(text: str) -> BadQuery:
    """What to raise for a cursor that no page gave."""
    return BadQuery(f"after is {text[:40]!r}: what a page before gave as next is allowed")
