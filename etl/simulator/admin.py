"""What a test or the demo changes while the simulator runs."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from etl.simulator.change import reading
from etl.simulator.clock import instant, text
from etl.simulator.problems import json
from etl.simulator.service import Service
from etl.simulator.world import ADDED, HIDDEN, Bump, Wake

_MOST_CODES = 10_000


class Woken(msgspec.Struct, forbid_unknown_fields=True):
    """An island that is played between two instants, and its peak CCU."""

    code: str
    at: str
    until: str
    peak: float


class WorldChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to do to the world: islands that change, vanish, come back, are played, are released."""

    change_share: float = 0.0
    change_codes: list[str] = msgspec.field(default_factory=list)
    change_fields: list[str] = msgspec.field(default_factory=lambda: ["version", "title", "tags"])
    vanish: list[str] = msgspec.field(default_factory=list)
    restore: list[str] = msgspec.field(default_factory=list)
    wake: list[Woken] = msgspec.field(default_factory=list)
    add: int = 0


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """Where the clock goes; None leaves it."""

    now: str | None = None
    speed: float | None = None


class Admin:
    """Endpoints under /admin. A request that cannot be is answered 400 with the reason."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def state(self, _: Request) -> Response:
        """GET /admin/state."""
        return json(self._state())

    async def clock(self, request: Request) -> Response:
        """POST /admin/clock."""
        return await self._apply(request, self._set_clock)

    async def add_fault(self, request: Request) -> Response:
        """POST /admin/fault."""
        return await self._apply(request, self._service.faults.add)

    async def clear_faults(self, _: Request) -> Response:
        """DELETE /admin/fault."""
        self._service.faults.clear()
        return json({})

    async def limits(self, request: Request) -> Response:
        """POST /admin/limits."""
        return await self._apply(request, self._service.limits.change)

    async def revoke_tokens(self, _: Request) -> Response:
        """DELETE /admin/tokens."""
        self._service.tokens.revoke()
        return json({})

    async def world(self, request: Request) -> Response:
        """POST /admin/world."""
        return await self._apply(request, self._change_world)

    async def truth(self, request: Request) -> Response:
        """GET /admin/truth/{code}[?at=]: what is so, whatever the services say."""
        code, given = request.path_params["code"], request.query_params.get("at")
        world, now = self._service.world, self._service.clock.now()
        try:
            at = instant(given) if given else now
        except ValueError as error:
            return json({"error": f"at is {given!r}: {error}"}, 400)
        key = world.key(code)
        if key is None or not (world.exists(key, at) or key in world.vanished):
            return json({"error": f"no island has the code {code}"}, 404)
        facts = world.facts(key)
        read = reading(world, facts, at)
        return json(
            {
                "code": code,
                "listed": not HIDDEN <= key < ADDED,
                "vanished": key in world.vanished,
                "peak": world.peak(key, at),
                "ccu": world.ccu(key, at),
                "reported": self._service.reported(key, at),
                "title": read.title,
                "tags": read.tags,
                "version": read.version,
                "activated": text(read.activated),
                "account": world.digits.account(facts.owner),
                "creator_code": world.creator(facts.owner)[0],
            }
        )

    async def codes(self, request: Request) -> Response:
        """GET /admin/codes?kind=listed|hidden&limit=: codes, newest first."""
        kind, limit = request.query_params.get("kind", "listed"), request.query_params.get("limit")
        count = int(limit) if limit and limit.isdigit() else 100
        world, now = self._service.world, self._service.clock.now()
        if not 1 <= count <= _MOST_CODES or kind not in ("listed", "hidden"):
            return json({"error": f"kind is listed or hidden, limit at most {_MOST_CODES}"}, 400)
        hidden = islice(world.hidden(now), count)
        keys = list(hidden) if kind == "hidden" else world.older(None, now, count)
        return json([world.code(key) for key in keys])

    async def _apply(self, request: Request, change: Callable[[Any], object]) -> Response:
        try:
            result = change(msgspec.json.decode(await request.body()))
        except (msgspec.MsgspecError, ValueError) as error:
            return json({"error": str(error)}, 400)
        return json(result if isinstance(result, dict) else self._state())

    def _state(self) -> dict[str, object]:
        service, now = self._service, self._service.clock.now()
        return {
            "now": text(now),
            "speed": service.clock.speed,
            "listed": service.world.count(now),
            "limits": service.limits.per_period,
            "faults": msgspec.to_builtins(service.faults.active),
            "served": service.served,
            "refused": service.refused,
            "struck": service.struck,
        }

    def _set_clock(self, given: object) -> None:
        wanted = msgspec.convert(given, ClockChange)
        if wanted.speed is not None and wanted.speed < 0:
            raise ValueError(f"speed is {wanted.speed}; it must be 0 or above")
        now = instant(wanted.now) if wanted.now is not None else None
        self._service.clock.set(now, wanted.speed)

    def _change_world(self, given: object) -> dict[str, object]:
        wanted = msgspec.convert(given, WorldChange)
        world, now = self._service.world, self._service.clock.now()
        woken = [wake.code for wake in wanted.wake]
        named_codes = wanted.change_codes + wanted.vanish + wanted.restore + woken
        keys = {code: world.key(code) for code in named_codes}
        for code, key in keys.items():
            if key is None or not (world.exists(key, now) or key in world.vanished):
                raise ValueError(f"no island has the code {code}")
        named = frozenset(key for code in wanted.change_codes if (key := keys[code]) is not None)
        if wanted.change_share or named:
            fields = frozenset(wanted.change_fields)
            world.bump(Bump(now, wanted.change_share, named, fields))
        for wake in wanted.wake:
            key = keys[wake.code]
            if key is not None:
                world.wake(key, Wake(instant(wake.at), instant(wake.until), wake.peak))
        world.vanished |= {key for code in wanted.vanish if (key := keys[code]) is not None}
        world.vanished -= {key for code in wanted.restore if (key := keys[code]) is not None}
        return self._state() | {"added": world.add(wanted.add, now)}
