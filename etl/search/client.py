"""The connection to Elasticsearch, and what its errors mean to us."""

import logging
from collections.abc import AsyncIterator, Container, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError, AsyncElasticsearch
from elasticsearch.serializer import OrjsonSerializer

from etl.embedded import elasticsearch_url
from etl.errors import PlainError
from etl.settings import Settings

BUSY = (429, 500, 502, 503, 504)
"""Statuses of an answer that waiting may mend."""

# What fails is raised and said once, by us; these tell of each attempt, some with a traceback.
for _name in ("elastic_transport.transport", "elastic_transport.node_pool"):
    logging.getLogger(_name).setLevel(logging.ERROR)


class SearchUnavailable(PlainError):
    """Elasticsearch does not answer, is overloaded or takes no writes. What waits keeps waiting; try again."""


class SearchRefused(SearchUnavailable):
    """A search is none to Elasticsearch, by what it says or asks for."""


class NotIndexed(PlainError):
    """There is no such index yet: nothing was projected, or not for these readers."""


class SearchForbidden(PlainError):
    """Elasticsearch wants another API key, or one with more privileges."""


@asynccontextmanager
async def open_elasticsearch(settings: Settings) -> AsyncIterator[AsyncElasticsearch]:
    """Open a client of the configured or the embedded Elasticsearch; closed at exit. Asks it nothing.

    Raises:
        NotRunning: ETL_ELASTICSEARCH_URL is not set and the embedded server does not run.
    """
    key = settings.elasticsearch_api_key
    client = AsyncElasticsearch(
        elasticsearch_url(settings),
        api_key=key.get_secret_value() if key is not None else None,
        connections_per_node=max(10, settings.search_connections),
        serializer=OrjsonSerializer(),
        max_retries=1,
        request_timeout=30,
    )
    async with client:
        yield client


async def several(
    es: AsyncElasticsearch, *searches: tuple[str, dict[str, Any]], optional: Container[str] = ()
) -> list[dict[str, Any]]:
    """The answers to searches, each of an index by its name or alias, asked at once.

    An ``optional`` index that is not there has no hits.

    Raises:
        NotIndexed: there is no such index.
        SearchRefused: it takes one of them for none.
        SearchUnavailable: it cannot answer now, or only in part.
        elastic_transport.TransportError, elasticsearch.ApiError: nothing was answered at all.
    """
    asked: list[dict[str, Any]] = []
    for index, body in searches:
        missing = {"ignore_unavailable": True} if index in optional else {}
        asked += [{"index": index, "allow_partial_search_results": False, **missing}, body]
    answers: list[dict[str, Any]] = (await es.msearch(searches=asked)).body["responses"]
    for (index, _), answer in zip(searches, answers, strict=True):
        if "error" in answer:
            (cause, *_) = answer["error"].get("root_cause") or [answer["error"]]
            reason = f"searching {index}: {answer['status']} {cause.get('reason')}"
            if answer["status"] == 404:
                raise NotIndexed(f"{reason}: run etl search sync")
            if answer["status"] == 400:
                raise SearchRefused(f"{reason}: it is what was asked, not Elasticsearch")
            raise SearchUnavailable(f"{reason}: look at Elasticsearch's log and its load")
    return answers


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Say in one sentence what is wrong with Elasticsearch when ``doing`` fails for a reason outside of us.

    Raises:
        SearchUnavailable: it cannot be reached, took too long, or answered that it cannot now.
        SearchForbidden: the API key is missing, wrong or too weak.
    """
    try:
        yield
    except ApiError as error:
        reason = f"{error.status_code} {error.message}"
        if error.status_code in BUSY:
            raise SearchUnavailable(
                f"{doing}: Elasticsearch cannot now ({reason}): look at its log and its disk"
            ) from error
        if error.status_code in {401, 403}:
            raise SearchForbidden(
                f"{doing}: Elasticsearch refuses ({reason}): check ETL_ELASTICSEARCH_API_KEY"
            ) from error
        raise
    except ConnectionTimeout as error:
        raise SearchUnavailable(
            f"{doing}: Elasticsearch did not answer in time ({error.message}): look at its load"
        ) from error
    except TransportError as error:
        raise SearchUnavailable(
            f"{doing}: Elasticsearch cannot be reached ({error.message}): "
            "check that it runs and ETL_ELASTICSEARCH_URL"
        ) from error
