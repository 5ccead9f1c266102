"""Steady state: seconds from a change's commit until a search finds it, at a given rate of changes.

``python -m bench.search_steady [--documents N] [--seconds N] [--rates 100,1000,10000]
[--workers N]``: servers of its own. Rows change and are marked in transactions of a tenth of a
second's worth, on a clock that waits for nobody; syncs run one after the other, as many side by side
as there are workers. A probe, one of each transaction's rows, is searched for until its title is
found: what is printed holds Elasticsearch's refresh, which is asked for every second at most.
"""

import argparse
import asyncio
import random
import statistics
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

from elasticsearch import AsyncElasticsearch

from bench.parts.servers import own
from bench.search import ISLANDS
from etl import embedded
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.search.client import open_elasticsearch
from etl.search.indices import alias
from etl.search.sync import sync
from etl.settings import Settings

STEP = 0.1
LOOK = 0.05
REFRESH = "1s"
CHANGE = """
with changed as (
  update fortnite.island as i set title = %(title)s
  from (select u.code from unnest(%(codes)s::text[]) as u (code) order by u.code) as k
  where i.code = k.code returning i.code
)
select search.mark('island', array_agg(c.code)) from changed as c
"""


@dataclass
class Run:
    """One rate for some seconds: changes, syncs, and whoever looks for the probes."""

    db: Database
    es: AsyncElasticsearch
    options: Settings
    codes: list[str]
    rate: int
    seconds: float
    waits: list[float] = field(default_factory=list)
    probes: dict[str, tuple[str, float]] = field(default_factory=dict)
    found: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    late: float = 0.0

    async def measured(self, workers: int) -> None:
        """Change for so long, then wait until each probe was found."""
        tasks = [asyncio.create_task(self._sync()) for _ in range(workers)]
        tasks.append(asyncio.create_task(self._look()))
        await self._change()
        self.found.clear()
        if self.probes:
            await asyncio.wait_for(self.found.wait(), 600)
        self.over.set()
        await asyncio.gather(*tasks)

    async def _change(self) -> None:
        chance, started = random.Random(self.rate), perf_counter()
        for step in range(int(self.seconds / STEP)):
            wait = started + step * STEP - perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            self.late = max(self.late, -wait)
            codes = sorted(chance.sample(self.codes, int(self.rate * STEP)))
            title = f"probe {int(1000 * perf_counter())}"  # each later one has a higher number
            await self.db.execute(CHANGE, {"title": title, "codes": codes})
            # One that no later transaction changes again before it was found.
            probe = chance.choice(codes)
            self.probes[probe] = (title, perf_counter())

    async def _sync(self) -> None:
        while not self.over.is_set():
            done = await sync(self.db, self.es, self.options)
            if not done.sent:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.over.wait(), LOOK)

    async def _look(self) -> None:
        name = alias("island", self.options)
        while not self.over.is_set():
            if wanted := list(self.probes)[:500]:
                answer = await self.es.search(
                    index=name,
                    size=len(wanted),
                    query={"ids": {"values": wanted}},
                    source_includes=["title"],
                )
                for hit in answer["hits"]["hits"]:
                    self._seen(hit["_id"], hit["_source"]["title"])
            await asyncio.sleep(LOOK)

    def _seen(self, code: str, title: str) -> None:
        wanted, since = self.probes[code]
        # A later change of the same row tells the same.
        if _step(title) >= _step(wanted):
            self.waits.append(perf_counter() - since)
            del self.probes[code]
            if not self.probes:
                self.found.set()


def _step(title: str) -> int:
    return int(title.removeprefix("probe ")) if title.startswith("probe") else -1


async def measure(
    options: Settings, documents: int, rates: list[int], seconds: float, workers: int
) -> None:
    """Fill the index, then one rate after the other."""
    url = embedded.database_url(options)
    migrate(url, options)
    async with open_database(url, size=20) as db, open_elasticsearch(options) as es:
        await db.execute(ISLANDS, (documents,))
        await db.execute("analyze")
        await sync(db, es, options)
        name = alias("island", options)
        await es.indices.put_settings(index=name, settings={"refresh_interval": REFRESH})
        rows = await db.fetch("select code from fortnite.island")
        for rate in rates:
            run = Run(db, es, options, [row["code"] for row in rows], rate, seconds)
            await run.measured(workers)
            waits = sorted(run.waits)
            p95, p99 = (waits[int(len(waits) * share)] for share in (0.95, 0.99))
            print(
                f"{rate:,} changes/s for {seconds:.0f} s: commit to searchable median "
                f"{statistics.median(waits):.2f} s, p95 {p95:.2f}, p99 {p99:.2f}, "
                f"most {waits[-1]:.2f}; writer late by {run.late:.2f} at most",
                flush=True,
            )


def main() -> int:
    """Print the seconds at each rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rates", default="100,1000,10000")
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    with own("postgres", "elasticsearch") as options:
        rates = [int(rate) for rate in chosen.rates.split(",")]
        asyncio.run(measure(options, chosen.documents, rates, chosen.seconds, chosen.workers))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
