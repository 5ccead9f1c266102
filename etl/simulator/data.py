"""The Data API: the list of islands, an island. Newest first, by cursor."""

import base64
import binascii

from starlette.responses import Response

from etl.simulator import bodies, problems
from etl.simulator.change import reading
from etl.simulator.gate import Ask
from etl.simulator.world import ADDED, HIDDEN

_LARGEST_PAGE = 1000
_ORDINARY_PAGE = 100


def islands(ask: Ask) -> Response:
    """GET /ecosystem/v1/islands."""
    given = ask.request.query_params
    size = _size(given.get("size"))
    after, before = _key(ask, given.get("after")), _key(ask, given.get("before"))
    if size is None or after == -1 or before == -1 or (after is not None and before is not None):
        return problems.invalid("islands", "size must be 1 to 1000, after or before a cursor")
    world, now = ask.service.world, ask.now
    keys = world.older(after, now, size) if before is None else world.newer(before, now, size)
    all_facts = [world.facts(key) for key in keys]
    first = all_facts[0].code if keys and world.newer(keys[0], now, 1) else None
    last = all_facts[-1].code if keys and world.older(keys[-1], now, 1) else None
    if any(fault.kind == "cursor" for fault in ask.faults) and after is not None:
        last = world.code(after)
    items = [(f.code, bodies.listed(world, f, reading(world, f, now))) for f in all_facts]
    return ask.service.answer_items(
        "islands",
        items,
        lambda shown: bodies.page([body for _, body in shown], size, first=first, last=last),
    )


def island(ask: Ask) -> Response:
    """GET /ecosystem/v1/islands/{code}."""
    code = ask.request.path_params["code"]
    world = ask.service.world
    if code in world.islands:
        return problems.json(world.islands[code])
    key = world.find(code, ask.now)
    if key is None or HIDDEN <= key < ADDED:
        return problems.missing("island", code)
    facts = world.facts(key)
    body = bodies.summary(world, facts, reading(world, facts, ask.now))
    return ask.service.answer_items(
        "island", [(code, body)], lambda shown: shown[0][1] if shown else {}
    )


def _size(given: str | None) -> int | None:
    if given is None:
        return _ORDINARY_PAGE
    size = int(given) if given.isascii() and given.isdigit() else 0
    return size if 1 <= size <= _LARGEST_PAGE else None


def _key(ask: Ask, cursor: str | None) -> int | None:
    """The listed key of a cursor; None without one, -1 for one that was never given out."""
    if cursor is None:
        return None
    try:
        code = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return -1
    key = ask.service.world.key(code)
    if key is None or HIDDEN <= key < ADDED or ask.service.world.born(key) > ask.now:
        return -1
    return key
