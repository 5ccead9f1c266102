"""Landing of islands through the engine, against a bare COPY of the same bodies into a jsonb table.

``python -m bench.landing [--islands N] [--rounds N] [--batch N] [--url URL]``: a PostgreSQL of its
own, or an empty database that is given. A pass takes bodies of claimed entities as received: hashed,
compared and checked; raw version, crawl row, typed columns, change log and search mark written. Each
worker is a process with two batches on their way, as in a refresh, over connections that have landed
before. The last passes are whole refreshes: claims too. ETL_POSTGRES_BIN picks the build of the server.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Self

import msgspec
import psycopg

from bench.parts.islands import Bodies, code, write_bodies
from bench.parts.servers import postgres
from etl.engine.arrays import TextArray
from etl.engine.crawl import Lease, claim
from etl.engine.database import Database, open_database
from etl.engine.items import Claim, Found, Item, Numbers, Resource
from etl.engine.landing import Batch, Target, prepare, store
from etl.engine.migrate import migrate
from etl.engine.resource import LANDINGS, refresh
from etl.fortnite.resources import ISLAND
from etl.settings import Settings

Answers = Callable[[Sequence[Claim]], Awaitable[Sequence[Item]]]
WARM = "warm-up"  # as new: what a connection pays once, a worker that runs for days does not pay
PASSES = ("new", "unchanged", "changed", "refresh unchanged")
LEAST = {("new", 1): 0.33, ("unchanged", 1): 1.0, ("changed", 1): 0.23}
LEAST |= {("new", 2): 0.55, ("unchanged", 2): 2.0, ("changed", 2): 0.45}
HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)


class Order(msgspec.Struct):
    """A pass of a worker: a file of bodies, how many of them, and whether claims are part of it."""

    file: str
    islands: int
    claims: bool


async def work(url: str, batch: int) -> None:
    """Passes as they are told, over connections that stay, as a worker's do: see :class:`Order`.

    A pass lands so many islands that are due, once told to begin, and says how that went.
    """
    island = replace(ISLAND, batch=batch)
    async with open_database(url, size=4) as db:
        for line in sys.stdin:
            order = msgspec.json.decode(line, type=Order)
            on_disk = Bodies(Path(order.file))
            leases = [] if order.claims else await claim_all(db, island, order.islands)
            # Received before it is timed, as what COPY sends.
            received = {key: on_disk[key] for lease in leases for key in lease.claims}
            bodies = received or on_disk

            async def fetch(
                claims: Iterable[Claim], bodies: Bodies | dict[str, bytes] = bodies
            ) -> Sequence[Item]:
                return [Found(claimed.key, bodies[claimed.key]) for claimed in claims]

            await db.fetch_one("select 1")
            say("ready")
            sys.stdin.readline()
            if order.claims:
                settings = Settings()
                numbers = await refresh(db, island, fetch, limit=order.islands, settings=settings)
            else:
                numbers = await land_all(db, island, leases, fetch)
            received.clear()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            say(json.dumps(numbers.as_dict() | {"mb": peak}))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def claim_all(db: Database, island: Resource, islands: int) -> list[Lease]:
    leases = []
    while islands > 0:
        lease = await claim(db, island, min(islands, island.batch), Settings())
        if lease is None:
            break
        leases.append(lease)
        islands -= len(lease.claims)
    return leases


async def land_all(
    db: Database, island: Resource, leases: Sequence[Lease], fetch: Answers
) -> Numbers:
    """What a refresh does with what it claimed."""
    numbers = Numbers()
    room = asyncio.Semaphore(LANDINGS)

    async def land(lease: Lease, batch: Batch, fetched_at: datetime) -> None:
        numbers.add(await store(db, Target(island, lease, fetched_at, 8), batch))
        room.release()

    async with asyncio.TaskGroup() as group:
        for lease in leases:
            items = await fetch(list(lease.claims.values()))
            known = {key: claimed.body_hash for key, claimed in lease.claims.items()}
            batch = prepare(island, items, known)
            await room.acquire()
            group.create_task(land(lease, batch, lease.now()))
    return numbers


def copy(url: str, path: Path, islands: int) -> None:
    """COPY every body, once told to."""
    bodies = Bodies(path)
    rows = [HEAD]
    for number in range(islands):
        key, data = code(number).encode(), bodies[code(number)]
        rows.append(struct.pack("!hi", 2, len(key)) + key)
        rows.append(struct.pack("!ib", len(data) + 1, 1) + data)
    stream = memoryview(b"".join([*rows, struct.pack("!h", -1)]))
    with psycopg.connect(url, autocommit=True) as conn:
        say("ready")
        sys.stdin.readline()
        with conn.cursor().copy("copy bench.copied from stdin (format binary)") as out:
            for start in range(0, len(stream), 1 << 17):
                out.write(stream[start : start + (1 << 17)])
    say("{}")


class Processes:
    """So many of this program side by side, told what to do line by line."""

    def __init__(self, count: int, *arguments: str) -> None:
        command = [sys.executable, "-m", "bench.landing", *arguments]
        self._started = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(count)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            process.communicate()

    def tell(self, line: str) -> None:
        """Say a line to each."""
        for process in self._started:
            if process.stdin is not None:
                process.stdin.write(line + "\n")
                process.stdin.flush()

    def hear(self) -> list[str]:
        """The next line of each, when all have said it."""
        return [process.stdout.readline() for process in self._started if process.stdout]

    def timed(self) -> tuple[float, list[dict[str, float]]]:
        """Seconds from telling all to begin until the last has ended, and their answers."""
        if set(self.hear()) != {"ready\n"}:
            raise SystemExit("a worker did not start")
        began = perf_counter()
        self.tell("go")
        answers = self.hear()
        return perf_counter() - began, [json.loads(answer) for answer in answers]


def reset(conn: psycopg.Connection, islands: int) -> None:
    conn.execute(
        "truncate raw.document, raw.rejected, engine.crawl, fortnite.island,"
        " fortnite.island_change, search.dirty restart identity"
    )
    for start in range(0, islands, 10_000):
        keys = TextArray.of([code(number) for number in range(start, min(start + 10_000, islands))])
        conn.execute("select engine.discover('fortnite.island', %s)", [keys])


def settle(conn: psycopg.Connection) -> None:
    """As after a while of normal work: vacuumed, statistics taken, a checkpoint behind."""
    conn.execute("vacuum (analyze) engine.crawl, fortnite.island, search.dirty, raw.document")
    conn.execute("checkpoint")


def floor(conn: psycopg.Connection, url: str, path: Path, islands: int) -> float:
    conn.execute("create schema if not exists bench")
    conn.execute("drop table if exists bench.copied")
    conn.execute("create table bench.copied (key text primary key, body jsonb)")
    conn.execute("checkpoint")
    arguments = ("--copy", url, "--file", str(path), "--islands", str(islands))
    with Processes(1, *arguments) as one:
        seconds, _ = one.timed()
    return seconds


def one_round(
    url: str, files: Sequence[Path], islands: int, batch: int
) -> Iterator[tuple[str, int, float, float]]:
    """Pass, workers, ratio to the floor of the same round, and peak memory of a worker in MB."""
    with psycopg.connect(url, autocommit=True) as conn:
        for workers in (1, 2):
            # Anew for each: the machine is not as quick a minute later.
            seconds = floor(conn, url, files[0], islands)
            yield "copy", 1, islands / seconds, 0.0
            with Processes(workers, "--work", url, "--batch", str(batch)) as those:
                for name in (WARM, *PASSES):
                    if name in {WARM, PASSES[0]}:
                        reset(conn, islands)
                    took, mb = one_pass(conn, those, name, files, islands, islands // workers)
                    if name != WARM:
                        yield name, workers, seconds / took, mb


def one_pass(
    conn: psycopg.Connection,
    those: Processes,
    name: str,
    files: Sequence[Path],
    islands: int,
    share: int,
) -> tuple[float, float]:
    """Seconds of a pass, and peak memory of a worker in MB."""
    conn.execute("update engine.crawl set due_at = now()")
    settle(conn)
    file = files[name in {"changed", "refresh unchanged"}]
    claims = name.startswith("refresh")
    order = Order(str(file), islands if claims else share, claims=claims)
    those.tell(msgspec.json.encode(order).decode())
    took, answers = those.timed()
    landed = sum(answer["landed"] for answer in answers)
    changed = sum(answer["changed"] for answer in answers)
    if (landed, changed) != (islands, 0 if "unchanged" in name else islands):
        raise SystemExit(f"{name}: {landed} landed, {changed} changed of {islands}")
    return took, max(answer["mb"] for answer in answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--islands", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--url")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--copy", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        asyncio.run(work(options.work, options.batch))
    elif options.copy:
        copy(options.copy, options.file, options.islands)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    given = nullcontext(options.url) if options.url else postgres()
    with tempfile.TemporaryDirectory() as folder, given as url:
        migrate(url, Settings())
        files = [Path(folder) / f"bodies-{version}" for version in (0, 1)]
        sizes = [write_bodies(file, options.islands, v) for v, file in enumerate(files)]
        print(f"{options.islands} islands of {sizes[0]:.0f} bytes, {os.cpu_count()} cores")
        for _ in range(options.rounds):
            for name, workers, value, mb in one_round(url, files, options.islands, options.batch):
                found.setdefault((name, workers), []).append((value, mb))
    copied = statistics.median(value for value, _ in found.pop(("copy", 1)))
    print(f"one COPY of key and body: {copied:,.0f} rows/s; ratios to it (and the least to reach):")
    for (name, workers), values in found.items():
        ratio = statistics.median(value for value, _ in values)
        spread = " ".join(f"{value:.2f}" for value, _ in values)
        peak = max(mb for _, mb in values)
        least = LEAST.get((name, workers))
        asked = "" if least is None else f" (>= {least})"
        print(f"{name}, {workers} worker(s): {ratio:.2f}{asked} [{spread}] {peak:.0f} MB a worker")


if __name__ == "__main__":
    main()
