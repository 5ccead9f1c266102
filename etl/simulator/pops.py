"""The pops service: player pages of creators, one or a hundred at a time."""

import msgspec
from starlette.responses import Response

from etl.simulator import pages, problems
from etl.simulator.bodies import Body
from etl.simulator.gate import Ask

_MOST = 100


class _Wanted(msgspec.Struct, rename="camel"):
    player_ids: list[str]


_BULK = msgspec.json.Decoder(_Wanted)


def bulk(ask: Ask) -> Response:
    """POST /page/v1: who has no page is left out."""
    try:
        accounts = _BULK.decode(ask.body).player_ids
    except msgspec.MsgspecError as error:
        return problems.invalid("players", f"The request body has no playerIds: {error}")
    if len(accounts) > _MOST:
        return problems.invalid("players", f"{len(accounts)} player ids are more than {_MOST}")
    items = []
    for account in dict.fromkeys(accounts):
        page = _page(ask, account)
        if page is not None:
            items.append((account, pages.summary(account, page)))
    return _foreign(ask) or ask.service.answer_items(
        "players", items, lambda shown: {"results": [body for _, body in shown]}
    )


def single(ask: Ask) -> Response:
    """GET /page/v1/{account}."""
    account = ask.request.path_params["account"]
    page = _page(ask, account)
    if page is None:
        return _foreign(ask) or problems.missing("player", account)
    return _foreign(ask) or ask.service.answer_items(
        "player", [(account, page)], lambda shown: shown[0][1] if shown else {}
    )


def _foreign(ask: Ask) -> Response | None:
    """A refusal where the request is made in the name of another account."""
    own = ask.service.tokens.account(ask.request.headers["authorization"])
    if own is None or ask.request.query_params.get("playerId", own) == own:
        return None
    message = f"Sorry your login does not possess the permissions 'pops:playerpage:{own}' needed"
    return problems.epic(403, "common.missing_permission", 1023, message)


def _page(ask: Ask, account: str) -> Body | None:
    world = ask.service.world
    if account in world.pages:
        return world.pages[account]
    owner = world.digits.creator(account)
    if owner is None or not world.of_creator(owner, ask.now):
        return None
    return pages.page(world, owner, ask.now)
