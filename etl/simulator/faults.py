"""Faults on demand: what goes wrong, where, how often.

A fault of an answer strikes the whole of it; a fault of an item strikes one island in it.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

Route = Literal[
    "islands",
    "island",
    "metrics",
    "token",
    "links",
    "link",
    "entries",
    "creator",
    "access_token",
    "surface",
    "surface_page",
    "players",
    "player",
    "*",
]
AnswerKind = Literal[
    "slow",  # waits `seconds`, then goes on
    "hang",  # never answers
    "throttle",  # 429, with Retry-After where `retry_after` is given
    "error",  # `status`
    "not_found",  # 404
    "empty",  # 200 without a body
    "html",  # 200 with a page that is no JSON
    "wrong",  # 200 with JSON of another shape
    "cut",  # the connection ends in the middle of the body
    "cursor",  # the list's next cursor is the one just asked for
    "downtime",  # the platform is down: a `share` of all islands reads 0 players
]
ItemKind = Literal[
    "vanish",  # left out of the answer
    "duplicate",  # twice in the answer
    "shape",  # not an object
    "types",  # fields of wrong types
    "nul",  # a NUL character in a text
    "surrogate",  # half a surrogate pair in a text
    "nan",  # NaN for a number
    "huge",  # a text of `bytes` characters
]
_ITEM_KINDS = frozenset(get_args(ItemKind))


class Fault(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One fault.

    Args:
        route: where it strikes; ``*`` is everywhere.
        kind: what goes wrong.
        times: how many answers it strikes; None: all, until it is cleared.
        skip: how many answers it lets pass first.
        codes: the islands an item fault strikes; None: the first of each answer.
        retry_after: seconds, or a text to send as it is (an HTTP date, or nonsense).
    """

    route: Route
    kind: AnswerKind | ItemKind
    times: int | None = None
    skip: int = 0
    codes: frozenset[str] | None = None
    seconds: float = 5.0
    status: int = 503
    retry_after: int | str | None = None
    share: float = 0.7
    bytes: int = 1_000_000

    def meets(self, route: str) -> bool:
        """Whether it strikes this route, now."""
        return self.route in (route, "*") and self.times != 0

    def strike(self, *, waits: bool = False) -> bool:
        """Use it up by one answer; False where it still lets answers pass, or waits for its turn."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if waits:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults in force.

    Args:
        given: as JSON would give them. Raises msgspec.ValidationError with the field that is wrong.
    """

    def __init__(self, given: Sequence[dict[str, Any]]) -> None:
        self.active: list[Fault] = [msgspec.convert(fault, Fault) for fault in given]

    def add(self, given: object) -> Fault:
        """Put one in force. Raises msgspec.ValidationError."""
        fault = msgspec.convert(given, Fault)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """End all of them."""
        self.active.clear()

    def downtime(self) -> float:
        """The share of islands that reads 0 players because the platform is down."""
        shares = [f.share for f in self.active if f.kind == "downtime" and f.times != 0]
        return max(shares, default=0.0)

    def of_answer(self, route: str) -> list[Fault]:
        """Those that strike the whole of this answer, used up by one.

        Of those that decide what the answer is, one strikes and the others wait for the next.
        """
        struck: list[Fault] = []
        decided = False
        for fault in self.active:
            if fault.kind in _ITEM_KINDS or fault.kind == "downtime" or not fault.meets(route):
                continue
            decides = fault.kind not in ("slow", "cursor")
            if not fault.strike(waits=decides and decided):
                continue
            decided = decided or decides
            struck.append(fault)
        return struck

    def of_items(self, route: str, codes: Sequence[str]) -> list[tuple[Fault, frozenset[str]]]:
        """Those that strike islands of this answer, used up by one, and which islands."""
        if not self.active or not codes:
            return []
        struck = []
        for fault in self.active:
            if fault.kind in _ITEM_KINDS and fault.meets(route):
                hit = frozenset(codes[:1]) if fault.codes is None else fault.codes & set(codes)
                if hit and fault.strike():
                    struck.append((fault, hit))
        return struck
