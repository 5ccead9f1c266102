"""Rebuild of an index, and its comparison with the database, against a raw bulk of the same documents.

``python -m bench.rebuild [--documents N] [--rounds N] [--connections 1,2,3]``: servers of its own,
islands made up from a seed. Raw: finished bulk bodies from files into an index of the same mapping
over as many connections, with the settings readers want and with those of a rebuild. Rebuild: from
rows to a new index that was filled, compared and switched to, while the old one is searched.
Each pass runs in a process of its own. pgsync's bootstrap of the same documents is measured too
where ETL_BENCH_PGSYNC names the folder of its programs and Redis is installed.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
import psutil

from bench.parts import pgsync
from bench.parts.raw_bulk import post
from bench.parts.servers import own
from bench.search import prepare
from etl import embedded
from etl.engine.database import open_database
from etl.search import rebuild
from etl.search.client import open_elasticsearch
from etl.search.indices import FILLING, alias, definition, ensure
from etl.search.reconcile import reconcile
from etl.search.sync import sync
from etl.settings import Settings

RAW: dict[str, dict[str, Any]] = {
    "raw as readers want it": {},
    "raw as a rebuild fills": FILLING,
    "the same, translog async": FILLING | {"translog": {"durability": "async"}},
}
REBUILD, RECONCILE, PGSYNC = "rebuild", "reconcile", "pgsync's bootstrap"


async def raw(options: Settings, settings: dict[str, Any]) -> dict[str, float]:
    """Send the finished bodies as fast as the connections take them, and let readers see them."""
    made = definition("island")
    made["settings"]["index"] |= settings
    files = sorted(options.home.glob("*.ndjson"))
    async with open_elasticsearch(options) as es:
        await es.options(ignore_status=404).indices.delete(index="raw")
        await es.indices.create(index="raw", **made)
        started = perf_counter()
        await post(es, "raw", (file.read_bytes() for file in files), options.search_connections)
        await es.indices.refresh(index="raw")
        seconds = perf_counter() - started
        await es.indices.delete(index="raw")
    return {"seconds": seconds}


async def rebuilt(options: Settings) -> dict[str, float]:
    """Build the index again and let it take the place of the one before."""
    memory = [0]

    def watch(_: int) -> None:
        memory.append(psutil.Process().memory_info().rss)

    async with (
        open_database(embedded.database_url(options)) as db,
        open_elasticsearch(options) as es,
    ):
        started = perf_counter()
        physical = await rebuild.demand(db, es, options, "island")
        await rebuild.until_live(db, es, options, "island", physical, progress=watch)
        seconds = perf_counter() - started
        count = await es.count(index=alias("island", options))
        rows = await db.fetch_one("select search.documents('island') as n")
        assert count["count"] == rows["n"]
    return {"seconds": seconds, "peak_mb": max(memory) / 1e6}


async def compared(options: Settings) -> dict[str, float]:
    """Hold the index against the database by digests."""
    async with (
        open_database(embedded.database_url(options)) as db,
        open_elasticsearch(options) as es,
    ):
        started = perf_counter()
        report = await reconcile(db, es, options, "island")
        seconds = perf_counter() - started
        assert (report.skipped, report.drifted) == (None, 0), report
    return {"seconds": seconds}


async def live(options: Settings) -> None:
    """Give readers an index that is full."""
    async with (
        open_database(embedded.database_url(options)) as db,
        open_elasticsearch(options) as es,
    ):
        await ensure(db, es, options)
        await sync(db, es, options)


PASSES = {REBUILD: rebuilt, RECONCILE: compared, PGSYNC: pgsync.bootstrapped}


def one_pass(options: Settings, name: str, connections: int) -> dict[str, float]:
    """Run a pass in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.rebuild", "--pass", name, "--home", options.home,
         "--connections", str(connections)],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    measured: dict[str, float] = orjson.loads(done.stdout.splitlines()[-1])
    return measured


def compare(options: Settings, connections: int, rounds: int, documents: int) -> None:
    """Print the median of each kind, and its ratio to the floor of the same round."""
    kinds = [*RAW, REBUILD, RECONCILE, *([] if pgsync.missing() else [PGSYNC])]
    passes = [{kind: one_pass(options, kind, connections) for kind in kinds} for _ in range(rounds)]
    floor = "raw as a rebuild fills"
    print(f"{connections} connection(s)", flush=True)
    for kind in kinds:
        rate = statistics.median(documents / each[kind]["seconds"] for each in passes)
        ratio = statistics.median(each[floor]["seconds"] / each[kind]["seconds"] for each in passes)
        print(f"  {kind:26} {rate:>9,.0f}/s  {ratio:.2f}", flush=True)
    peak = max(each[REBUILD]["peak_mb"] for each in passes)
    print(f"  memory of the rebuild: {peak:.0f} MB at most", flush=True)


def main() -> int:
    """Run a comparison, or one pass of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", default="1,2,3")
    parser.add_argument("--pass", dest="kind", choices=[*RAW, *PASSES])
    parser.add_argument("--home", type=Path)
    chosen = parser.parse_args()
    if chosen.kind:
        options = Settings(
            home=chosen.home, search_connections=int(chosen.connections), search_keep_hours=0
        )
        if chosen.kind in RAW:
            done = asyncio.run(raw(options, RAW[chosen.kind]))
        else:
            done = asyncio.run(PASSES[chosen.kind](options))
        print(json.dumps(done))
        return 0
    with own("postgres", "elasticsearch") as options:
        asyncio.run(prepare(options, chosen.documents))
        asyncio.run(live(options))
        missing = pgsync.missing()
        if missing is None:
            asyncio.run(pgsync.make_table(options))
        size = sum(file.stat().st_size for file in options.home.glob("*.ndjson"))
        print(f"{chosen.documents:,} documents of {size // chosen.documents} bytes", flush=True)
        for connections in map(int, chosen.connections.split(",")):
            compare(options, connections, chosen.rounds, chosen.documents)
    if missing:
        print(missing)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
