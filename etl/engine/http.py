"""One upstream over HTTP: throttled, tried again where that is safe, its refusals told apart."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import msgspec
import structlog

from etl.engine import throttle
from etl.engine.database import Database
from etl.engine.errors import Transient, Unauthorized
from etl.engine.oauth import Tokens
from etl.engine.verdict import closure, refusal
from etl.engine.wire import Answer, exchange, open_client, place
from etl.settings import Settings

__all__ = ["Answer", "Params", "Service", "Upstream", "open_upstream"]

log = structlog.get_logger(__name__)

Params = Mapping[str, str | int]

PAUSE_S = 0.2
"""First pause before a request is sent again; doubles, and is spread at random."""

_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Service:
    """An upstream service and how fast it may be asked.

    ``base_url``: what paths are below. ``bucket``: name of its throttle. ``per_second``: requests a
    second, all workers together. ``patience``: seconds a request waits for its turn.
    """

    base_url: str
    bucket: str
    per_second: float
    patience: float = 60.0


class Upstream:
    """One upstream service. Build with :func:`open_upstream`.

    Each request first takes its turn at the throttle shared by all workers. Redirects are not
    followed: a token must not travel to another host. Messages of errors name host and path, never
    the query, a header or a body.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        service: Service,
        client: httpx.AsyncClient,
        tokens: Tokens | None,
    ) -> None:
        self._db = db
        self._settings = settings
        self._service = service
        self._client = client
        self._tokens = tokens
        self._reserved = False
        # the pool never has to queue: httpcore loses connections of requests cancelled in its queue
        self._room = asyncio.Semaphore(settings.http_connections)

    async def reserve(self) -> None:
        """Wait for a turn that the next request has, so that nothing is leased while waiting.

        Raises:
            Transient: the turn is too far away; nothing is reserved.
        """
        if not self._reserved:
            await self._take()
            self._reserved = True

    async def get(
        self,
        path: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """GET ``path`` below the base URL: a 2xx or 304. Tried again after a transient failure.

        Raises:
            Transient: throttled, 5xx, timed out, cut, too large or no JSON, also when tried again.
            Unauthorized: 401 with a fresh token too.
            Refused: another 4xx, or a redirect.
        """
        request = self._client.build_request("GET", path, params=params, headers=headers)
        return await self._send(request, safe=True)

    async def post(
        self,
        path: str,
        *,
        json: object,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool = False,
    ) -> Answer:
        """POST ``json`` to ``path``. ``safe``: it only reads, so it may be sent twice.

        Raises what :meth:`get` raises; a post that is not ``safe`` is sent once.
        """
        request = self._client.build_request(
            "POST",
            path,
            params=params,
            content=msgspec.json.encode(json),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        return await self._send(request, safe=safe)

    async def _send(self, request: httpx.Request, *, safe: bool) -> Answer:
        retries = self._settings.http_retries if safe else 0
        for attempt in range(retries + 1):
            try:
                return await self._authorized(request)
            except Transient as error:
                # with an instant to wait for, trying again at once would only add to the load
                if error.retry_at is not None or attempt == retries:
                    raise
                log.info("request sent again", reason=error.reason, attempt=attempt + 1)
            await asyncio.sleep(PAUSE_S * 2**attempt * _random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")

    async def _authorized(self, request: httpx.Request) -> Answer:
        await self._turn()
        if self._tokens is None:
            return await self._once(request)
        header = await self._tokens.header()
        request.headers.update(header)
        try:
            return await self._once(request)
        except Unauthorized:
            await self._tokens.invalidate(header)
        await self._turn()
        request.headers.update(await self._tokens.header())
        return await self._once(request)

    async def _turn(self) -> None:
        if self._reserved:
            self._reserved = False
        else:
            await self._take()

    async def _take(self) -> None:
        await throttle.take(self._db, self._service.bucket, patience=self._service.patience)

    async def _once(self, request: httpx.Request) -> Answer:
        async with self._room:
            answer = await exchange(self._client, request, self._settings)
        if answer.status < 300 or answer.status == 304:
            return answer
        seconds = closure(answer)
        if seconds is not None:
            raise await self._close(request, answer, seconds)
        raise refusal(place(request), answer)

    async def _close(self, request: httpx.Request, answer: Answer, seconds: float) -> Transient:
        reason = f"{place(request)} answered {answer.status}"
        until = await throttle.close(self._db, self._service.bucket, seconds, reason)
        log.warning("throttle closed", bucket=self._service.bucket, seconds=seconds, reason=reason)
        return Transient(reason, until)


@asynccontextmanager
async def open_upstream(
    db: Database, settings: Settings, service: Service, tokens: Tokens | None = None
) -> AsyncIterator[Upstream]:
    """Open an upstream, its throttle declared; its connections are closed at exit.

    ``tokens`` is where the bearer token of its requests comes from; None sends none.
    """
    await throttle.declare(db, service.bucket, 1, service.per_second)
    async with open_client(settings, service.base_url) as client:
        yield Upstream(db, settings, service, client, tokens)
