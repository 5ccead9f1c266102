"""A cycle that moves many CCU values, on its way to Elasticsearch: whole documents against partial ones.

``python -m bench.search_ccu [--documents N] [--moved N] [--rounds N]``: servers of its own. Against
whole documents through the sync as it is: the same documents as finished bodies; partial updates
(``update`` with ``doc``); a second, narrow index that has the numbers alone. Elasticsearch takes no
external version with ``update``: what an update leaves of the versions is printed, too.
"""

import argparse
import asyncio
import random
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter

import orjson
from elasticsearch import AsyncElasticsearch

from bench.parts.raw_bulk import HEADERS, post
from bench.parts.servers import own
from bench.search import ISLANDS, PLAYERS
from etl import embedded
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.search import indices
from etl.search.client import open_elasticsearch
from etl.search.sync import sync
from etl.settings import Settings

Way = Callable[[], Awaitable[float]]
NARROW = {"dynamic": False, "properties": {"ccu": {"type": "integer"}, "ccu_at": {"type": "date"}}}
AT = "2026-11-22T12:10:00+00:00"
MOVE = """
with moved as (
  insert into fortnite.island_now (island_id, ts, recorded_at, since, ccu, marked_ccu, record_ccu)
  select i.island_id, now(), now(), now(), %(n)s, %(n)s, 9000
  from fortnite.island as i where i.code = any(%(codes)s) order by i.island_id
  on conflict (island_id) do update set ts = now(), ccu = excluded.ccu, marked_ccu = excluded.ccu
  returning island_id
)
select search.mark('island', array_agg(i.code)) from moved inner join fortnite.island as i using (island_id)
"""


@dataclass
class Cycle:
    """A filled index, and the islands whose numbers move."""

    db: Database
    es: AsyncElasticsearch
    options: Settings
    codes: list[str]
    nth: int = 0

    def parts(self) -> list[list[str]]:
        """The codes in requests of as many documents as a sync sends at once."""
        size = self.options.search_batch
        return [self.codes[at : at + size] for at in range(0, len(self.codes), size)]

    async def move(self) -> None:
        """Move and mark them, which is no part of what is timed."""
        self.nth += 1
        for at in range(0, len(self.codes), 5000):
            await self.db.execute(MOVE, {"n": self.nth, "codes": self.codes[at : at + 5000]})

    async def post(self, name: str, bodies: list[bytes]) -> float:
        """Seconds to send finished bodies over as many connections as a sync has."""
        return await post(self.es, name, bodies, self.options.search_connections)

    async def synced(self) -> float:
        """Whole documents as they are sent today, from marks."""
        started = perf_counter()
        done = await sync(self.db, self.es, self.options)
        assert done.sent == len(self.codes)
        return perf_counter() - started

    async def whole(self) -> float:
        """The same documents as finished bodies."""
        bodies = []
        for part in self.parts():
            version = (await self.db.fetch_one("select search.draw() as n"))["n"]
            row = await self.db.fetch_one(
                "select body from search.read('island', %s, %s)", (part, version), binary=True
            )
            bodies.append(row["body"])
        await self.db.execute("delete from search.dirty")
        return await self.post(indices.alias("island", self.options), bodies)

    async def update(self) -> float:
        """Updates of two fields, which carry no version."""
        await self.db.execute("delete from search.dirty")
        return await self.post(indices.alias("island", self.options), self._bodies(b"update"))

    async def narrow(self) -> float:
        """Documents of two fields in an index of their own, with external versions."""
        await self.db.execute("delete from search.dirty")
        return await self.post("numbers", self._bodies(b"index"))

    def _bodies(self, action: bytes) -> list[bytes]:
        version = b',"version":%d,"version_type":"external"' % self.nth
        numbers = orjson.dumps({"ccu": self.nth, "ccu_at": AT})
        line = b'{"doc":%s}' % numbers if action == b"update" else numbers
        about = b"" if action == b"update" else version
        return [
            b"".join(
                b'{"%s":{"_id":"%s"%s}}\n%s\n' % (action, code.encode(), about, line)
                for code in part
            )
            for part in self.parts()
        ]


async def measure(options: Settings, documents: int, moved: int, rounds: int) -> None:
    """Fill the index, then move the same islands again and again, each way in turn."""
    url = embedded.database_url(options)
    migrate(url, options)
    async with open_database(url) as db, open_elasticsearch(options) as es:
        await db.execute(ISLANDS, (documents,))
        await db.execute(PLAYERS, (documents,))
        await db.execute("analyze")
        await sync(db, es, options)
        await es.indices.create(index="numbers", mappings=NARROW)
        rows = await db.fetch("select code from fortnite.island order by code")
        codes = sorted(random.Random(1).sample([row["code"] for row in rows], moved))
        cycle = Cycle(db, es, options, codes)
        ways: dict[str, Way] = {
            "whole documents, the sync": cycle.synced,
            "whole documents, finished": cycle.whole,
            "partial updates, finished": cycle.update,
            "narrow index, finished": cycle.narrow,
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                await cycle.move()
                seconds[name].append(await way())
        floor = statistics.median(seconds["whole documents, finished"])
        for name, each in seconds.items():
            took = statistics.median(each)
            print(
                f"{name}: {took:.2f} s for {moved:,} of {documents:,}, "
                f"{moved / took:,.0f}/s, {took / floor:.2f} of whole finished ones",
                flush=True,
            )
        await versions(es, indices.alias("island", options), codes[0])


async def versions(es: AsyncElasticsearch, name: str, code: str) -> None:
    """What an update does to an external version, and that an external one is refused with it."""
    before = (await es.get(index=name, id=code, source=False))["_version"]
    await es.update(index=name, id=code, doc={"ccu": -1})
    after = (await es.get(index=name, id=code, source=False))["_version"]
    body = b'{"update":{"_id":"%s","version":%d,"version_type":"external"}}\n{"doc":{"ccu":1}}\n' % (
        code.encode(), after + 10,
    )  # fmt: skip
    answer = await es.options(ignore_status=400).perform_request(
        "POST", f"/{name}/_bulk", body=body,
        headers=HEADERS,
    )  # fmt: skip
    print(f"an update takes version {before} to {after}: one that no sync drew")
    print(f"an update with an external version: {answer.body['error']['reason'][:120]}")


def main() -> int:
    """Print how each way compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--moved", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with own("postgres", "elasticsearch") as options:
        asyncio.run(measure(options, chosen.documents, chosen.moved, chosen.rounds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
