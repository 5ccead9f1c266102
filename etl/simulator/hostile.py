"""Answers as they should never be: items of wrong shape or type, texts and numbers that hurt."""

import json
from collections.abc import Callable, Sequence

from etl.simulator.faults import Fault

Item = tuple[str, object]
_TEXTS = frozenset({"title", "linkCode", "timestamp", "displayName"})
_NUMBERS = frozenset({"version", "globalCCU", "value", "createdIn", "followerCount"})
_WRONG: dict[str, object] = {
    "title": 7,
    "creatorName": ["two", "names"],
    "tags": "pvp",
    "descriptionTags": {"0": "pvp"},
    "version": "many",
    "globalCCU": "many",
    "value": "many",
    "displayName": 7,
    "followerCount": "many",
    "images": "two",
    "created": 20260706,
    "lastActivatedDate": "yesterday",
    "matchmakingV2": "16 players",
}


class _Key(str):
    """A key that an object may have twice."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def spoil(items: Sequence[Item], struck: Sequence[tuple[Fault, frozenset[str]]]) -> list[Item]:
    """The items of an answer after the faults that strike them."""
    spoiled = list(items)
    for fault, codes in struck:
        after: list[Item] = []
        for code, body in spoiled:
            after += _struck(fault, code, body) if code in codes else [(code, body)]
        spoiled = after
    return spoiled


def by_code(items: Sequence[Item]) -> dict[str, object]:
    """The items as one object by code, a code twice where an item is there twice."""
    plain = dict(items)
    return plain if len(plain) == len(items) else {_Key(code): body for code, body in items}


def encode(content: object) -> bytes:
    """What looks like JSON, of content that a fault struck: NaN and lone surrogates go out."""
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


def _struck(fault: Fault, code: str, body: object) -> list[Item]:
    if fault.kind == "vanish":
        return []
    if fault.kind == "duplicate":
        return [(code, body), (code, body)]
    return [(code, _SPOILED[fault.kind](body, fault))]


def _text(body: object, change: Callable[[str], object]) -> object:
    """A copy of the body in which its texts that name it are changed."""
    return _replaced(body, dict.fromkeys(_TEXTS), lambda old, _: change(str(old)))


def _replaced(
    body: object, fields: dict[str, object], change: Callable[[object, object], object]
) -> object:
    if isinstance(body, list):
        return [_replaced(part, fields, change) for part in body]
    if isinstance(body, dict):
        return {
            name: change(value, fields[name])
            if name in fields
            else _replaced(value, fields, change)
            for name, value in body.items()
        }
    return body


_SPOILED: dict[str, Callable[[object, Fault], object]] = {
    "shape": lambda _, __: ["neither", "an", "island"],
    "types": lambda body, _: _replaced(body, _WRONG, lambda __, wrong: wrong),
    "nul": lambda body, _: _text(body, lambda old: f"{old[:3]}\x00{old[3:]}"),
    "surrogate": lambda body, _: _text(body, lambda old: f"{old}\ud83d"),
    "huge": lambda body, fault: _text(body, lambda _: "A" * fault.bytes),
    "nan": lambda body, _: _replaced(body, dict.fromkeys(_NUMBERS), lambda __, ___: float("nan")),
}
