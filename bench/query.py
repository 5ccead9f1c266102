"""Searches and suggestions at 1, 8 and 32 at once: milliseconds at the middle, 95 and 99 of a hundred.

``python -m bench.query [--documents N] [--seconds N] [--at-once 1,8,32]``: an Elasticsearch of its
own with islands whose titles, tags, creators and players are spread as the recorded catalogue's
are (made up from a seed). A floor of the same run, one term query without scoring through the same
client, tells what the client and the wire cost.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson
from elasticsearch import AsyncElasticsearch

from bench.parts.servers import own
from etl.search.client import open_elasticsearch, several
from etl.search.filters import Range
from etl.search.fold import fold, title_key
from etl.search.indices import MAPPINGS, alias
from etl.search.query import Query, search
from etl.search.suggest import suggest
from etl.settings import Settings

BULK = 1000
WORDS = (
    "red vs blue zone wars box fight tycoon 1v1 prop hunt gun game parkour deathrun escape room "
    "horror star wars brainrot pillars tilted build fights free for all arena super mega crazy new "
    "map easy lucky block guess the logo steal drive city only up race training aim practice "
    "survival zombie roguelike obby simulator battle royale lava ramp duo trio"
)
TAGS = (
    "just for fun,free for all,pvp,1v1,practice,team deathmatch,action,competitive,building,"
    "open world,minigame,deathrun,driver simulator,parkour,casual,tycoon,zonewars,boxfight,"
    "prop hunt,horror,gun game,escape,survival,role playing,co-op"
)

Ask = Callable[[AsyncElasticsearch, Settings], Awaitable[object]]


@dataclass(frozen=True)
class Kind:
    """A kind of request and how many of a hundred are of it."""

    name: str
    share: int
    queries: tuple[Query | str, ...]


def _texts(*texts: str) -> tuple[Query, ...]:
    return tuple(Query(text=text) for text in texts)


MIX = (
    Kind("title", 20, _texts("zone wars", "steal the city", "pillars duo", "guess the logo 77", "star wars tycoon")),
    Kind("while typing", 20, _texts("z", "zon", "zone w", "red v", "esc", "brain", "gu")),
    Kind("slip", 8, _texts("zonw wras", "gess the logo", "priosn escape", "tycon simulater")),
    Kind("code", 7, _texts("0000-0012-3456", "000000123456", "0000-0012")),
    Kind("nothing typed", 10, (Query(), Query(sort="newest"), Query(sort="peak"))),
    Kind("filters", 10, (
        Query(text="wars", tags=("pvp",), ccu=Range(10)),
        Query(tags=("tycoon",), created_in=("UEFN",), sort="ccu"),
        Query(text="red vs blue", creator=("creator 17",), players=Range(2, 16)),
    )),
    Kind("deep", 5, (Query(text="zone", page=100), Query(page=400, sort="ccu", facets=()))),
    Kind("suggest", 20, ("z", "zon", "zone wa", "creator 1", "tyc", "zonw", "free for")),
)  # fmt: skip


def documents(count: int) -> Iterator[dict[str, Any]]:
    """Documents as the view makes them: words and creators by a law of few and many, one in five is played."""
    chance = random.Random(7)
    words, tags = WORDS.split(), TAGS.split(",")
    weights = list(accumulate(1 / (rank + 2) for rank in range(len(words))))
    tag_weights = list(accumulate(1 / (rank + 3) for rank in range(len(tags))))
    for number in range(count):
        some = chance.choices(words, cum_weights=weights, k=chance.randint(1, 6))
        title = " ".join(some) + (f" {chance.randrange(2000)}" if number % 3 else "")
        title = f"\U0001f525 {title.upper()}" if number % 4 == 0 else title.title()
        creator = f"creator {int(chance.paretovariate(0.6)) % 50_000}"
        played = number % 5 == 0
        ccu = min(40_000, int(chance.paretovariate(0.7))) if played else None
        code = f"{number:012}"
        yield {
            "code": f"{code[:4]}-{code[4:8]}-{code[8:]}",
            "title": title,
            "title_key": title_key(fold(title)),
            "creator": creator,
            "creator_code": creator.replace(" ", ""),
            "tags": list(dict.fromkeys(chance.choices(tags, cum_weights=tag_weights, k=4))),
            "category": "Creative" if number % 9 else None,
            "created_in": "FNC" if number % 3 == 0 else "UEFN",
            "max_players": 1 + number % 40,
            "published_at": f"2026-{1 + number % 12:02}-{1 + number % 28:02}T12:00:00Z",
            "ccu": ccu,
            "avg_24h": ccu and ccu * 0.7,
            "avg_7d": ccu and ccu * 0.6,
            "peak": ccu and ccu * 3,
            "day_peak": None if played or number % 7 else number % 50,
            "on_discovery": number % 500 == 0,
            "folded_title": fold(title),
            "folded_creator": fold(creator),
        }


async def fill(es: AsyncElasticsearch, settings: Settings, count: int) -> None:
    """An index of made-up islands, merged as one that has been there for a while."""
    name = alias("island", settings)
    definition = orjson.loads((MAPPINGS / "island.json").read_bytes())
    await es.indices.create(index=name, **definition)
    batch: list[dict[str, Any]] = []
    for document in documents(count):
        batch += [{"index": {"_id": document["code"]}}, document]
        if len(batch) == 2 * BULK:
            assert not (await es.bulk(index=name, operations=batch))["errors"]
            batch = []
    if batch:
        assert not (await es.bulk(index=name, operations=batch))["errors"]
    await es.indices.refresh(index=name)
    await es.options(request_timeout=600).indices.forcemerge(index=name, max_num_segments=5)


def _ask(query: Query | str) -> Ask:
    if isinstance(query, str):
        return lambda es, settings: suggest(es, settings, query)
    return lambda es, settings: search(es, settings, query)


async def _floor(es: AsyncElasticsearch, settings: Settings) -> object:
    body = {"query": {"bool": {"filter": [{"term": {"code": "0000-0000-0007"}}]}}, "size": 1}
    return await several(es, (alias("island", settings), body))


async def run(
    es: AsyncElasticsearch, settings: Settings, at_once: int, seconds: float
) -> dict[str, list[float]]:
    """The milliseconds of each request by its kind, ``at_once`` in flight all the time."""
    took: dict[str, list[float]] = {kind.name: [] for kind in MIX}
    until = time.perf_counter() + seconds

    async def reader(number: int) -> None:
        chance = random.Random(number)
        while time.perf_counter() < until:
            (kind,) = chance.choices(MIX, [kind.share for kind in MIX])
            ask = _ask(chance.choice(kind.queries))
            started = time.perf_counter()
            await ask(es, settings)
            took[kind.name].append(1000 * (time.perf_counter() - started))

    await asyncio.gather(*(reader(number) for number in range(at_once)))
    return took


def line(name: str, took: list[float]) -> str:
    """The quantiles of a kind."""
    if len(took) < 2:
        return f"  {name:14} {len(took):6}"
    hundredths = statistics.quantiles(took, n=100, method="inclusive")
    return f"  {name:14} {len(took):6} {hundredths[49]:8.1f} {hundredths[94]:8.1f} {hundredths[98]:8.1f}"


async def measure(settings: Settings, count: int, seconds: float, at_once: list[int]) -> None:
    """Fill, warm up and print."""
    options = settings.model_copy(update={"search_connections": max(at_once)})
    async with open_elasticsearch(options) as es:
        started = time.perf_counter()
        await fill(es, options, count)
        print(f"{count:,} documents in {time.perf_counter() - started:.0f} s", flush=True)
        for kind in MIX:
            for query in kind.queries * 10:
                await _ask(query)(es, options)
        for many in at_once:
            took = await run(es, options, many, seconds)
            every = [each for some in took.values() for each in some]
            floor = []
            for _ in range(200):
                started = time.perf_counter()
                await _floor(es, options)
                floor.append(1000 * (time.perf_counter() - started))
            print(
                f"\n{many} at once: {len(every) / seconds:,.0f} a second; milliseconds p50, p95, p99"
            )
            print(line("floor (1)", floor))
            print(line("all", every))
            for name, some in took.items():
                print(line(name, some), flush=True)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--at-once", default="1,8,32")
    chosen = parser.parse_args()
    at_once = json.loads(f"[{chosen.at_once}]")
    with own("elasticsearch") as settings:
        asyncio.run(measure(settings, chosen.documents, chosen.seconds, at_once))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
