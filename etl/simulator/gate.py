"""What a request passes: faults, limit, token, its handler, then the faults of the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from etl.simulator import problems
from etl.simulator.faults import Fault
from etl.simulator.service import Service

Endpoint = Callable[[Request], Awaitable[Response]]


class Ask(NamedTuple):
    """A request as a handler sees it: body read, limits and token passed."""

    service: Service
    request: Request
    body: bytes
    now: float
    faults: Sequence[Fault]


class Gate(NamedTuple):
    """A route: its name in faults and counts, the limit it shares, whether it wants a token."""

    route: str
    limit: str
    bearer: bool

    def __call__(self, service: Service, handler: Callable[[Ask], Response]) -> Endpoint:
        """The endpoint of a handler behind this gate."""

        async def endpoint(request: Request) -> Response:
            faults = service.faults.of_answer(self.route)
            if faults:
                service.struck[self.route] += 1
            early = await self._early(request, faults) or self._refusal(service, request)
            if early is not None:
                service.refused[self.route] += 1
                return early
            body = await request.body()
            answer = handler(Ask(service, request, body, service.clock.now(), faults))
            counts = service.served if answer.status_code < 400 else service.refused
            counts[self.route] += 1
            return _late(answer, faults)

        return endpoint

    async def _early(self, request: Request, faults: Sequence[Fault]) -> Response | None:
        for fault in faults:
            match fault.kind:
                case "slow":
                    await asyncio.sleep(fault.seconds)
                case "hang":
                    return _Hang()
                case "throttle":
                    return problems.throttled(self.route, fault.retry_after)
                case "error":
                    return problems.failed(self.route, fault.status)
                case "not_found":
                    return problems.missing(self.route, request.url.path)
                case _:
                    continue
        return None

    def _refusal(self, service: Service, request: Request) -> Response | None:
        wait = service.limits.take(self.limit)
        if wait:
            # The Data API's description names no Retry-After.
            seconds = None if self.route in problems.DATA_ROUTES else ceil(wait)
            return problems.throttled(self.route, seconds)
        if not self.bearer:
            return None
        return service.tokens.refuse(request.headers.get("authorization"), request.url.path)


def _late(answer: Response, faults: Sequence[Fault]) -> Response:
    for fault in faults:
        match fault.kind:
            case "empty":
                return Response(b"", 200, media_type="application/json")
            case "html":
                return HTMLResponse("<html><body>We will be back soon.</body></html>")
            case "wrong":
                return problems.json({"unexpected": [1, None, "shape"]})
            case "cut":
                return _Cut(answer.body, answer.status_code, media_type=answer.media_type)
            case _:
                continue
    return answer


class _Hang(Response):
    """Never answers; ends when the client goes."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue


class _Cut(Response):
    """Promises a whole body, sends half, and leaves: the server then closes the connection."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        half = bytes(self.body[: len(self.body) // 2])
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})
