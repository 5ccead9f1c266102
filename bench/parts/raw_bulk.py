"""The floor of everything that fills an index: finished bodies, sent as fast as the connections take them."""

import asyncio
from collections.abc import Iterable
from time import perf_counter

from elasticsearch import AsyncElasticsearch

HEADERS = {"content-type": "application/x-ndjson", "accept": "application/json"}


async def post(
    es: AsyncElasticsearch, index: str, bodies: Iterable[bytes], connections: int
) -> float:
    """Seconds to send bulk bodies, each taken from ``bodies`` when a connection is free for it."""
    left = iter(bodies)

    async def connection() -> None:
        for body in left:
            answer = await es.perform_request(
                "POST",
                f"/{index}/_bulk",
                params={"filter_path": "errors"},
                headers=HEADERS,
                body=body,
            )
            assert not answer.body["errors"]

    started = perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    return perf_counter() - started
