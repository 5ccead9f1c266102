"""Elasticsearch behind a line that fails: the real server, with faults on the way to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr

from etl.search import epoch
from etl.settings import Settings
from tests.wire import Request, answer, serve

Fault = Callable[[Request], str | None]
"""What happens to a request: cut before or after it arrived, an HTTP status, or None: nothing."""

PASSED_ON = ("content-type", "accept", "authorization")


@dataclass
class Line:
    """The line to Elasticsearch. ``fault`` decides about each bulk request and each switch of an alias.

    ``early``: what the next looks at the note of versions are answered with. ``bulks``: sizes of the
    bulk requests.
    """

    settings: Settings
    fault: Fault = lambda _: None
    early: list[int] = field(default_factory=list)
    bulks: list[int] = field(default_factory=list)


@asynccontextmanager
async def line(settings: Settings) -> AsyncIterator[Line]:
    """A line to the Elasticsearch of ``settings``; its own settings go through it."""
    assert settings.elasticsearch_url is not None
    it = Line(settings)
    async with httpx.AsyncClient(
        base_url=settings.elasticsearch_url.get_secret_value(), timeout=30, trust_env=False
    ) as behind:

        async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
            method, path, _ = request.line.split(" ")
            if "_bulk" in path:
                it.bulks.append(len(request.body))
            fault = it.fault(request) if "_bulk" in path or "_aliases" in path else None
            if it.early and method == "GET" and f"/_doc/{epoch.ID}" in path:
                fault = str(it.early.pop())
            if fault == "cut before":
                writer.close()
                return
            if fault is not None and fault.isdecimal():
                writer.write(answer(int(fault), b'{"error":"from the line"}', **JSON))
                return
            headers = {k: v for k, v in request.headers.items() if k.lower() in PASSED_ON}
            said = await behind.request(method, path, headers=headers, content=request.body)
            if fault == "cut after":
                writer.close()
                return
            body = said.content if method != "HEAD" else b""
            writer.write(answer(said.status_code, body, **JSON))

        async with serve(handle) as server:
            it.settings = settings.model_copy(update={"elasticsearch_url": SecretStr(server.url)})
            yield it


JSON = {"Content_Type": "application/json", "X_Elastic_Product": "Elasticsearch"}
