"""What every route answers from: the world, its clock, the limits, the tokens, the faults."""

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import orjson
from starlette.responses import Response

from etl.simulator import hostile
from etl.simulator.clock import Clock
from etl.simulator.digits import unit
from etl.simulator.faults import Faults
from etl.simulator.hostile import Item
from etl.simulator.limits import Limits
from etl.simulator.tokens import Tokens
from etl.simulator.world import World

_WITHHELD_SALT, _DOWN_SALT = 0x57, 0x44
# Shares of play counts that are withheld (-1) and absent (null), an hour each.
_WITHHELD, _ABSENT = 0.003, 0.001


class Service(msgspec.Struct):
    """Everything a route needs, and how often each was asked."""

    world: World
    clock: Clock
    limits: Limits
    tokens: Tokens
    faults: Faults
    served: Counter[str] = msgspec.field(default_factory=Counter)
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    struck: Counter[str] = msgspec.field(default_factory=Counter)

    def players(self, key: int, at: float) -> int:
        """Players of an island at an instant, the platform's downtime allowed for."""
        down = self.faults.downtime()
        if down and unit(self.world.digits.salt ^ _DOWN_SALT, key) < down:
            return 0
        return self.world.ccu(key, at)

    def reported(self, key: int, at: float) -> int | None:
        """The play count a service tells: -1 where it is withheld, None where there is none."""
        draw = unit(self.world.digits.salt ^ _WITHHELD_SALT ^ int(at) // 3600, key)
        if draw < _WITHHELD:
            return -1
        return None if draw < _WITHHELD + _ABSENT else self.players(key, at)

    def answer_items(
        self, route: str, items: Sequence[Item], build: Callable[[Sequence[Item]], object]
    ) -> Response:
        """An answer made of islands, after the faults that strike them."""
        struck = self.faults.of_items(route, [code for code, _ in items])
        if not struck:
            content = orjson.dumps(build(items))
        else:
            self.struck[route] += 1
            content = hostile.encode(build(hostile.spoil(items, struck)))
        return Response(content, media_type="application/json")

    def answer_lists(
        self,
        route: str,
        lists: Sequence[Sequence[Item]],
        build: Callable[[Sequence[Sequence[Item]]], object],
    ) -> Response:
        """An answer made of several lists of islands, as :meth:`answer_items`."""
        codes = dict.fromkeys(code for items in lists for code, _ in items)
        struck = self.faults.of_items(route, list(codes))
        if not struck:
            content = orjson.dumps(build(lists))
        else:
            self.struck[route] += 1
            content = hostile.encode(build([hostile.spoil(items, struck) for items in lists]))
        return Response(content, media_type="application/json")
