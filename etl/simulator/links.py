"""The Links service: what an island is, one or a hundred at a time."""

import msgspec
from starlette.responses import Response

from etl.simulator import bodies, problems
from etl.simulator.bodies import Body
from etl.simulator.change import reading
from etl.simulator.gate import Ask

_MOST = 100


class _Wanted(msgspec.Struct):
    mnemonic: str
    type: str = ""
    filter: bool = False
    v: str | int = ""


_BULK = msgspec.json.Decoder(list[_Wanted])


def bulk(ask: Ask) -> Response:
    """POST /links/api/fn/mnemonic."""
    try:
        wanted = _BULK.decode(ask.body)
    except msgspec.MsgspecError as error:
        return problems.invalid("links", f"The request body is not a list of mnemonics: {error}")
    if len(wanted) > _MOST:
        return problems.invalid("links", f"{len(wanted)} mnemonics are more than {_MOST}")
    lenient = ask.request.query_params.get("ignoreFailures") == "true"
    items = []
    for one in wanted:
        body = _link(ask, one.mnemonic)
        if body is not None:
            body.pop("activationHistory", None)
            items.append((one.mnemonic, body))
        elif not lenient:
            return problems.missing("links", one.mnemonic)
    return ask.service.answer_items("links", items, lambda shown: [body for _, body in shown])


def single(ask: Ask) -> Response:
    """GET /links/api/fn/mnemonic/{code}."""
    code = ask.request.path_params["code"]
    body = _link(ask, code)
    if body is None:
        return problems.missing("link", code)
    history = body.pop("activationHistory", None)
    if ask.request.query_params.get("includeActivationHistory") == "true":
        last = {"mnemonic": code, "version": body["version"]}
        body["activationHistory"] = history or [last | {"activated": body["lastActivatedDate"]}]
    return ask.service.answer_items(
        "link", [(code, body)], lambda shown: shown[0][1] if shown else {}
    )


def _link(ask: Ask, code: str) -> Body | None:
    world = ask.service.world
    if code in world.links:
        return dict(world.links[code])
    key = world.find(code, ask.now)
    if key is None:
        return None
    facts = world.facts(key)
    return bodies.link(world, facts, reading(world, facts, ask.now))
