"""The search page and its JSON: everything comes from Elasticsearch, nothing from the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from etl.search.client import NotIndexed, SearchUnavailable, open_elasticsearch
from etl.search.query import BadQuery, search
from etl.search.suggest import suggest
from etl.settings import Settings
from etl.web import address
from etl.web.headers import SafeHeaders

STATIC = Path(__file__).parent / "static"

log = structlog.get_logger()


def create_app(settings: Settings) -> Starlette:
    """The application: the page at ``/``, its data at ``/api/search`` and ``/api/suggest``, its state at ``/health``.

    It starts and stays up while Elasticsearch is away: all but the page then answer 503
    with a sentence, and the page says so and tries again.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_elasticsearch(settings) as elasticsearch:
            app.state.elasticsearch = elasticsearch
            app.state.settings = settings
            yield

    return Starlette(
        routes=[
            Route("/", _page),
            Route("/api/search", _search),
            Route("/api/suggest", _suggest),
            Route("/health", _health),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(GZipMiddleware, minimum_size=1000)],
        exception_handlers={
            BadQuery: _bad_query,
            NotIndexed: _away,
            SearchUnavailable: _away,
            TransportError: _away,
            ApiError: _away,
        },
        lifespan=lifespan,
    )


async def _page(_request: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _search(request: Request) -> Response:
    asked = address.read(request.query_params)
    page = await search(_elasticsearch(request), request.app.state.settings, asked)
    return Response(msgspec.json.encode(page), media_type="application/json")


async def _suggest(request: Request) -> Response:
    params = request.query_params
    address.only(params, address.SUGGEST)
    found = await suggest(
        _elasticsearch(request),
        request.app.state.settings,
        params.get("q", ""),
        size=address.number(params, "size", 5),
    )
    return Response(msgspec.json.encode(found), media_type="application/json")


async def _health(request: Request) -> Response:
    health = await _elasticsearch(request).cluster.health(timeout="2s")
    return JSONResponse({"elasticsearch": health["status"]})


def _elasticsearch(request: Request) -> AsyncElasticsearch:
    client: AsyncElasticsearch = request.app.state.elasticsearch
    return client


async def _bad_query(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


async def _away(request: Request, error: Exception) -> Response:
    """Elasticsearch is away, starting or empty: the reader gets a sentence, the log the cause."""
    log.warning("search failed", path=request.url.path, error=str(error)[:500])
    sentence = "The search server does not answer."
    if isinstance(error, NotIndexed):
        sentence = "Nothing has been indexed yet."
    return JSONResponse({"error": sentence}, status_code=503, headers={"retry-after": "5"})
