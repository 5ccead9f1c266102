"""The discovery service: play counts by code, and the page of a creator."""

import msgspec
from starlette.responses import Response

from etl.simulator import bodies, hostile, problems
from etl.simulator.change import reading
from etl.simulator.clock import instant, text
from etl.simulator.gate import Ask

_MOST = 100


class _Wanted(msgspec.Struct, rename="camel"):
    link_codes: list[str]


_ENTRIES = msgspec.json.Decoder(_Wanted)


def entries(ask: Ask) -> Response:
    """POST /api/v2/discovery/link-entries."""
    try:
        codes = _ENTRIES.decode(ask.body).link_codes
    except msgspec.MsgspecError as error:
        return problems.invalid("entries", f"The request body has no linkCodes: {error}")
    if len(codes) > _MOST:
        return problems.invalid("entries", f"{len(codes)} link codes are more than {_MOST}")
    service, items = ask.service, []
    for code in dict.fromkeys(codes):
        key = service.world.find(code, ask.now)
        if key is not None:
            items.append((code, bodies.entry(code, service.reported(key, ask.now))))
    return service.answer_items("entries", items, hostile.by_code)


def creator(ask: Ask) -> Response:
    """GET /api/v1/creator/page/{account}: most recently activated first."""
    given, account = ask.request.query_params, ask.request.path_params["account"]
    own = ask.service.tokens.account(ask.request.headers["authorization"])
    if own is not None and given.get("playerId", own) != own:
        message = f"Sorry your login does not possess the permissions 'discovery:{own}' needed"
        return problems.epic(403, "common.missing_permission", 1023, message)
    limit = given.get("limit", str(_MOST))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= _MOST):
        return problems.invalid("creator", f"limit is {limit!r}; it must be 1 to {_MOST}")
    try:
        older = text(instant(given["olderThan"])) if "olderThan" in given else None
    except ValueError:
        return problems.invalid("creator", f"olderThan is {given['olderThan']!r}: no instant")
    found = _by_activation(ask, account, older)
    shown = found[: int(limit)]
    return ask.service.answer_items(
        "creator",
        [(code, bodies.creator_entry(code, players, at)) for at, code, players in shown],
        lambda items: {
            "creatorId": account,
            "links": [body for _, body in items],
            "hasMore": len(found) > len(shown),
        },
    )


def _by_activation(
    ask: Ask, account: str, older: str | None
) -> list[tuple[float, str, int | None]]:
    service, world = ask.service, ask.service.world
    owner = world.digits.creator(account)
    found = []
    for key in world.of_creator(owner, ask.now) if owner is not None else []:
        activated = reading(world, world.facts(key), ask.now).activated
        if older is None or text(activated) < older:
            found.append((activated, world.code(key), service.reported(key, ask.now)))
    return sorted(found, key=lambda one: one[0], reverse=True)
