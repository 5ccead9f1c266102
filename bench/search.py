"""Projection into Elasticsearch against a raw bulk of the same documents over as many connections.

``python -m bench.search [--documents N] [--rounds N] [--connections 1,2,3]``: servers of its own,
islands made up from a seed; each pass fills a fresh index in a process of its own. The raw pass
reads finished bulk bodies from files; the sync pass starts from marks.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import orjson
import psutil
from elasticsearch import AsyncElasticsearch

from bench.parts.raw_bulk import post
from bench.parts.servers import own
from etl import embedded
from etl.engine.database import open_database
from etl.engine.migrate import migrate
from etl.search import indices
from etl.search.client import open_elasticsearch
from etl.search.sync import Numbers, sync
from etl.settings import Settings

ISLANDS = """
insert into fortnite.island (
  code, source, first_seen_at, title, tagline, creator_name, creator_code, creator_account_id, tags, category,
  created_in, image_url, max_players, published_at, updated_at, detailed_at, discovery_intent
)
select
  to_char(n, 'fm0000-0000-0000'), 'catalogue', now(),
  case when n %% 3 = 0 then '🔥 ' else '' end || words || ' ' || n, 'The best ' || words || ' there is, with friends',
  'Creator ' || n %% 5000, 'creator' || n %% 5000, md5((n %% 5000)::text), tags, 'Creative',
  case when n %% 3 = 0 then 'FNC' else 'UEFN' end,
  'https://cdn.example/' || md5(n::text) || '/image/landscape_comp_m.jpeg', 16,
  timestamptz '2024-01-01' + n * interval '5 minutes', timestamptz '2026-01-01' + n * interval '1 minute',
  now(), 'PUBLIC'
from generate_series(1, %s) as n
cross join lateral (
  select
    string_agg(w, ' ') as words,
    array_agg(lower(w)) as tags
  from unnest(array['Zone', 'Wars', 'Box', 'Fight', 'Tycoon', 'Red', 'Blue', 'Parkour', 'Prop', 'Hunt', 'Deathrun'])
    with ordinality as v (w, i)
  where (n::bigint * 7919) %% (i + 3) < 2
) as v
"""
PLAYERS = """
insert into fortnite.island_now (island_id, ts, recorded_at, since, ccu, marked_ccu, record_ccu)
select island_id, now(), now(), now(), island_id %% 5000, island_id %% 5000, 9000
from fortnite.island where island_id %% 3 = 0 and %s::int > 0
"""  # fmt: skip


NOTHING_TO_FILL = "update search.target set fill_after = null, filled_at = now()"
"""All that comes to the indices comes from marks: how they are filled is bench.rebuild's."""
MARKED = 5000


async def prepare(options: Settings, documents: int) -> None:
    """Fill the database, and write the bulk bodies of the raw pass."""
    migrate(embedded.database_url(options), options)
    async with open_database(embedded.database_url(options)) as db:
        await db.execute(ISLANDS, (documents,))
        await db.execute(PLAYERS, (documents,))
        await db.execute("analyze")
        rows = await db.fetch("select id from search.island_document")
        ids = [row["id"] for row in rows]
        for number, start in enumerate(range(0, len(ids), options.search_batch)):
            part = ids[start : start + options.search_batch]
            row = await db.fetch_one("select body from search.read('island', %s, 1)", (part,))
            (options.home / f"{number:06d}.ndjson").write_bytes(row["body"])


async def raw(options: Settings) -> dict[str, float]:
    """Send the finished bodies as fast as the connections take them."""
    files = sorted(options.home.glob("*.ndjson"))
    async with open_elasticsearch(options) as es:
        await clear(es)
        await es.indices.create(index="island-raw", **indices.definition("island"))
        bodies = (file.read_bytes() for file in files)
        return {"seconds": await post(es, "island-raw", bodies, options.search_connections)}


async def projected(options: Settings) -> dict[str, float]:
    """Drain marks of every document into an index that is empty."""
    process, memory = psutil.Process(), [0]

    def watch(_: Numbers) -> None:
        memory.append(process.memory_info().rss)

    url = embedded.database_url(options)
    async with open_database(url) as db, open_elasticsearch(options) as es:
        codes = [row["id"] for row in await db.fetch("select id from search.island_document")]
        await clear(es)
        await indices.ensure(db, es, options)
        await db.execute(NOTHING_TO_FILL)
        for at in range(0, len(codes), MARKED):
            await db.execute("select search.mark('island', %s)", (codes[at : at + MARKED],))
        started = perf_counter()
        done = await sync(db, es, options, progress=watch)
        seconds = perf_counter() - started
        assert done == Numbers(sent=len(codes)), done
    quarter = memory[len(memory) // 4]
    return {"seconds": seconds, "peak_mb": max(memory) / 1e6, "quarter_mb": quarter / 1e6}


async def clear(es: AsyncElasticsearch) -> None:
    """Delete every index: each pass starts empty."""
    for index in await es.indices.get(index="island*"):
        await es.indices.delete(index=index)


def one_pass(options: Settings, name: str, connections: int) -> dict[str, float]:
    """Run a pass in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.search", "--pass", name, "--home", options.home,
         "--connections", str(connections)],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    measured: dict[str, float] = orjson.loads(done.stdout.splitlines()[-1])
    return measured


def compare(options: Settings, connections: int, rounds: int, documents: int) -> None:
    """Print the median of each kind, and their ratio."""
    passes = [
        (one_pass(options, "raw", connections), one_pass(options, "projected", connections))
        for _ in range(rounds)
    ]
    floor = statistics.median(documents / each["seconds"] for each, _ in passes)
    ours = statistics.median(documents / each["seconds"] for _, each in passes)
    ratio = statistics.median(a["seconds"] / b["seconds"] for a, b in passes)
    peak = max(each["peak_mb"] for _, each in passes)
    print(
        f"{connections} connection(s): raw bulk {floor:,.0f}/s, projected {ours:,.0f}/s, "
        f"ratio {ratio:.2f} (at least 0.80); memory {passes[-1][1]['quarter_mb']:.0f} MB "
        f"after a quarter, {peak:.0f} MB at most (under 400)",
        flush=True,
    )


def main() -> int:
    """Run a comparison, or one pass of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", default="1,2,3")
    parser.add_argument("--pass", dest="kind", choices=["raw", "projected"])
    parser.add_argument("--home", type=Path)
    chosen = parser.parse_args()
    if chosen.kind:
        options = Settings(home=chosen.home, search_connections=int(chosen.connections))
        run = raw if chosen.kind == "raw" else projected
        print(json.dumps(asyncio.run(run(options))))
        return 0
    with own("postgres", "elasticsearch") as options:
        asyncio.run(prepare(options, chosen.documents))
        size = sum(file.stat().st_size for file in options.home.glob("*.ndjson"))
        print(f"{chosen.documents:,} documents of {size // chosen.documents} bytes", flush=True)
        one_pass(options, "raw", 2)  # a Java server that has just started takes twice the time
        for connections in map(int, chosen.connections.split(",")):
            compare(options, connections, chosen.rounds, chosen.documents)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
