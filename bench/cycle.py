"""Ten minutes of everything for half a million islands: how much of them the machine is idle.

``python -m bench.cycle [--islands N] [--active SHARE] [--cycles N]``: a PostgreSQL and an Elasticsearch of its own.
What the jobs do in a cycle is done one after the other: CCU of all islands with roll-ups and performance of a sixth of
them, all surfaces of discovery in all regions, the creators that 30 requests a minute allow and the totals of all, then
the search sync of what was marked. Answers of the APIs are made up beforehand: the network is
left out. The seventh cycle closes an hour. CPU is that of this process and both servers.
"""

import argparse
import asyncio
import statistics
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

import orjson
import psutil
from elasticsearch import AsyncElasticsearch

from bench import ccu as players
from bench import discovery
from bench.parts.servers import own
from etl import embedded
from etl.engine import timeseries
from etl.engine.database import Database, open_database
from etl.engine.items import Claim, Found, Item, Resource
from etl.engine.migrate import migrate
from etl.engine.resource import refresh
from etl.fortnite import performance, totals
from etl.fortnite.resources import CREATOR, PLAYER_PAGE
from etl.search import indices
from etl.search.client import open_elasticsearch
from etl.search.sync import sync
from etl.settings import Settings

SECONDS = 600
PAGES, BULKS = 100, 5
"""Player pages and requests of the bulk route in ten minutes; the rest of 300 are creator pages, which give CCU."""
LEAST = 0.5
"""Share of the ten minutes that must be left."""

DETAILS = """
update fortnite.island
set
  title = 'Island ' || island_id, tagline = 'The best there is, with friends', description = repeat('play ', 120),
  creator_account_id = md5((island_id %% (1 + %s / 10))::text), creator_name = 'Creator ' || island_id %% 50000,
  tags = array['tag ' || island_id %% 11, 'tag ' || 11 + island_id %% 20], discovery_intent = 'PUBLIC',
  detailed_at = now(), published_at = timestamptz '2024-01-01' + island_id * interval '1 minute'
"""


@dataclass
class Meter:
    """Wall and CPU seconds of the steps of a cycle."""

    servers: list[psutil.Process]
    steps: dict[str, tuple[float, float]] = field(default_factory=dict)

    async def step(self, name: str, work: Awaitable[object]) -> None:
        """Do a step and note what it took, in wall and CPU seconds."""
        began, cpu = perf_counter(), self._cpu()
        await work
        self.steps[name] = perf_counter() - began, self._cpu() - cpu

    def _cpu(self) -> float:
        seconds = 0.0
        for server in (*self.servers, psutil.Process()):
            for process in (server, *server.children()):
                times = process.cpu_times()
                seconds += times.user + times.system
            times = server.cpu_times()
            seconds += times.children_user + times.children_system  # of those that ended
        return seconds


def servers(options: Settings) -> list[psutil.Process]:
    """The two servers of a home; their backends are their children."""
    home = str(options.home)
    # What ends just now has no command line any more.
    found = [
        p for p in psutil.process_iter(["cmdline"]) if home in " ".join(p.info["cmdline"] or ())
    ]
    children = {child.pid for process in found for child in process.children()}
    return [process for process in found if process.pid not in children]


def page(account: str, turn: int) -> bytes:
    return orjson.dumps(
        {
            "playerId": account,
            "displayName": f"Creator {account[:6]}",
            "bio": f"We make islands. {turn}",
            "followerCount": turn,
            "images": {"avatar": f"https://cdn.example/{account}.jpeg"},
            "social": {"youtube": "https://youtube.com/@example"},
        }
    )


async def creators(db: Database, settings: Settings, turn: int) -> None:
    """What 30 requests a minute bring of creators in ten minutes, landed; then the totals of all."""

    async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
        return [Found(claim.key, page(claim.key, turn)) for claim in claims]

    due: tuple[tuple[Resource, int], ...] = (
        (CREATOR, BULKS * CREATOR.batch),
        (PLAYER_PAGE, PAGES),
    )
    await db.execute("select fortnite.meet_creators()")
    for resource, limit in due:
        numbers = await refresh(db, resource, fetch, limit=limit, settings=settings)
        if numbers.landed == 0:
            raise SystemExit(
                f"nothing of {resource.name} was due: a world of more islands is needed"
            )
    await totals.count(db)


async def sample(db: Database, world: players.World, ts: datetime) -> None:
    await players.store_cycle(db, ts, world.codes, world.values())
    await timeseries.refresh(db, until=ts)
    await performance.compute(db, turns=6)


@dataclass
class Machine:
    """What a cycle works on."""

    db: Database
    elasticsearch: AsyncElasticsearch
    settings: Settings
    world: players.World
    stage: discovery.Stage

    async def cycle(self, meter: Meter, turn: int) -> None:
        """Everything of ten minutes."""
        ts = players.START + turn * players.STEP
        reads = self.stage.reads()
        self.stage.turn()
        await meter.step("CCU", sample(self.db, self.world, ts))
        await meter.step("discovery", discovery.one_cycle(self.db, reads, ts))
        await meter.step("creators", creators(self.db, self.settings, turn))
        await meter.step("search", sync(self.db, self.elasticsearch, self.settings))


@asynccontextmanager
async def machine(settings: Settings, options: argparse.Namespace) -> AsyncIterator[Machine]:
    """A world as it is in the middle of a day, every document in the index."""
    url = embedded.database_url(settings)
    migrate(url, settings)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(url, size=8))
        es = await stack.enter_async_context(open_elasticsearch(settings))
        world = players.World.of(options.islands, options.active)
        await players.prepare(db, world, history=True)
        await db.execute(DETAILS, [options.islands])
        await db.execute("vacuum analyze fortnite.island")
        made = Machine(db, es, settings, world, discovery.Stage())
        await indices.ensure(db, es, settings)
        await made.cycle(Meter([]), 0)  # meets everybody; the index takes every document
        await db.execute("vacuum analyze")
        yield made


async def measure(settings: Settings, options: argparse.Namespace) -> bool:
    """Print what each cycle took; whether the machine is idle for most of the ten minutes."""
    cores = psutil.cpu_count() or 1
    shares = []
    print(f"{options.islands:,} islands, {cores} cores: preparing", flush=True)
    async with machine(settings, options) as made:
        for turn in range(1, options.cycles + 1):
            meter = Meter(servers(settings))
            await made.cycle(meter, turn)
            wall = sum(seconds for seconds, _ in meter.steps.values())
            cpu = sum(seconds for _, seconds in meter.steps.values())
            shares.append(cpu / SECONDS / cores)
            parts = ", ".join(
                f"{name} {one:.1f} s ({used:.1f} of CPU)"
                for name, (one, used) in meter.steps.items()
            )
            print(
                f"{wall:.1f} s one after the other, {cpu:.1f} s of CPU, idle {1 - shares[-1]:.1%}: {parts}",
                flush=True,
            )
    print(
        f"of ten minutes idle: {1 - statistics.mean(shares):.1%}, at worst {1 - max(shares):.1%}"
        f" (at least {LEAST:.0%})"
    )
    return 1 - max(shares) >= LEAST


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cycle")
    parser.add_argument("--islands", type=int, default=500_000)
    parser.add_argument(
        "--active", type=float, default=0.2, help="share of islands that are played"
    )
    parser.add_argument("--cycles", type=int, default=7)
    options = parser.parse_args()
    with own("postgres", "elasticsearch") as settings:
        return not asyncio.run(measure(settings, options))


if __name__ == "__main__":
    raise SystemExit(main())
