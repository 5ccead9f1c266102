"""One request and its whole answer: bounded in time and size, its failures named, no secret told."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version

import h2.exceptions
import httpx

from etl.engine import body
from etl.engine.errors import Transient
from etl.settings import Settings

# At info they log whole URLs, at debug the bytes of every header: neither may reach our logs.
for _name in ("httpx", "httpcore", "h2", "hpack"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# httpcore lets these through when several requests share an HTTP/2 connection that breaks.
BROKEN_HTTP2 = (h2.exceptions.H2Error, KeyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an upstream answered: its status and the decoded body."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def open_client(settings: Settings, base_url: str) -> httpx.AsyncClient:
    """An HTTP client with our limits: HTTP/2 where the server offers it, redirects not followed."""
    return httpx.AsyncClient(
        base_url=base_url,
        http2=True,
        verify=_tls(),
        follow_redirects=False,
        timeout=settings.http_timeout,
        limits=httpx.Limits(
            max_connections=settings.http_connections,
            max_keepalive_connections=settings.http_connections,
        ),
        headers={
            "User-Agent": f"headrace/{version('headrace')}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        },
        # a proxy named in the environment has no way back to this machine
        mounts={"all://127.0.0.1": None, "all://localhost": None},
    )


async def exchange(client: httpx.AsyncClient, request: httpx.Request, settings: Settings) -> Answer:
    """Send once and read the whole answer, whatever its status.

    The time-out counts from the first byte sent to the last received, so an answer that drips
    cannot hold a worker; httpx itself would only bound the pauses.

    Raises:
        Transient: no connection, cut, too slow, too large, or a 2xx that is not JSON.
    """
    where = place(request)
    try:
        async with asyncio.timeout(settings.http_timeout):
            answer = await _whole(client, request, settings.http_body_limit)
    except TimeoutError:
        raise Transient(f"{where}: no whole answer in {settings.http_timeout:g} s") from None
    except httpx.HTTPError as error:
        raise Transient(f"{where}: {_what(error)}") from None
    except BROKEN_HTTP2 as error:
        raise Transient(f"{where}: its HTTP/2 connection broke: {type(error).__name__}") from None
    except body.BodyError as error:
        raise Transient(f"{where}: {error}") from None
    if 200 <= answer.status < 300 and answer.body.lstrip()[:1] not in (b"{", b"["):
        what = "something that is not JSON" if answer.body.strip() else "an empty body"
        raise Transient(f"{where} answered {answer.status} with {what}")
    return answer


async def _whole(client: httpx.AsyncClient, request: httpx.Request, limit: int) -> Answer:
    response = await client.send(request, stream=True)
    try:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        content = await body.read(response.aiter_raw(), encoding, limit)
    finally:
        await response.aclose()
    return Answer(response.status_code, content, response.headers)


def place(request: httpx.Request) -> str:
    """Method, host and path of a request; its query is not for logs."""
    return f"{request.method} {request.url.copy_with(query=None, fragment=None, userinfo=b'')}"


def _what(error: httpx.HTTPError) -> str:
    """What happened on the wire. A complaint about our own request may quote its headers."""
    name = type(error).__name__
    return name if isinstance(error, httpx.LocalProtocolError) else f"{name}: {error}"[:300]


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates are read once a process."""
    return httpx.create_ssl_context()
