"""No-op jobs with their history in ``ops.run``, against bare procrastinate.

``python -m bench.jobs [--jobs N] [--rounds N] [--concurrency 1,10]``: a PostgreSQL of its own; each pass queues N
jobs and works them off in a process of its own. ``bare`` is procrastinate as it comes, ``pool`` is bare on our
connection pool (autocommit), ``ours`` is the app of this repository: pauses obeyed, each run recorded.
"""

import argparse
import asyncio
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
from time import perf_counter

import psycopg
import structlog
from procrastinate import App, PsycopgConnector

import etl.settings
from bench.parts.servers import postgres
from etl.engine.migrate import migrate
from etl.settings import Settings
from jobs.application import POOL, Application

KINDS = ("bare", "pool", "ours")


def app_of(kind: str, url: str) -> App:
    if kind == "ours":
        return Application([])
    if kind == "pool":
        return App(connector=PsycopgConnector(conninfo=url, pool_factory=POOL))
    return App(connector=PsycopgConnector(conninfo=url))


async def work(kind: str, url: str, jobs: int, concurrency: int) -> dict[str, float]:
    """Queue the jobs, then time a worker that ends when none is left."""
    app = app_of(kind, url)

    @app.task(name="bench.nothing", queue="bench")
    async def nothing() -> None: ...

    async with app.open_async():
        await nothing.batch_defer_async(*({} for _ in range(jobs)))
        started = perf_counter()
        await app.run_worker_async(
            wait=False, concurrency=concurrency, install_signal_handlers=False
        )
        seconds = perf_counter() - started
    return {"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def one_pass(url: str, kind: str, jobs: int, concurrency: int) -> dict[str, float]:
    """Empty the queue and run a pass in a process of its own."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("truncate public.procrastinate_jobs, ops.run cascade")
        conn.execute("vacuum analyze public.procrastinate_jobs")
        conn.execute("checkpoint")
    done = subprocess.run(
        # Imported: of an app in the main module procrastinate warns.
        [sys.executable, "-c", "from bench.jobs import main; main()", "--pass", kind,
         "--jobs", str(jobs), "--concurrency", str(concurrency)],
        stdout=subprocess.PIPE, check=True, env={**os.environ, "ETL_DATABASE_URL": url},
    )  # fmt: skip
    with psycopg.connect(url) as conn:
        ended = conn.execute(
            "select count(*) from public.procrastinate_jobs where status = 'succeeded'"
        ).fetchone()
        recorded = conn.execute(
            "select count(*) from ops.run where outcome = 'succeeded'"
        ).fetchone()
    assert ended == (jobs,), ended
    assert recorded == (jobs if kind == "ours" else 0,), recorded
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(url: str, jobs: int, rounds: int, concurrency: int) -> None:
    """Print the median of each kind, and the median of the ratios of each round."""
    passes: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in KINDS if number % 2 == 0 else reversed(KINDS):
            passes[kind].append(one_pass(url, kind, jobs, concurrency))
    speed = {
        kind: statistics.median(jobs / each["seconds"] for each in passes[kind]) for kind in KINDS
    }
    ratio = {
        kind: statistics.median(
            one["seconds"] / ours["seconds"]
            for one, ours in zip(passes[kind], passes["ours"], strict=True)
        )
        for kind in KINDS
    }
    print(
        f"concurrency {concurrency}: bare {speed['bare']:,.0f} jobs/s, ours {speed['ours']:,.0f},"
        f" ratio {ratio['bare']:.2f} (at least 0.90); bare on our pool {speed['pool']:,.0f}, ratio"
        f" {ratio['pool']:.2f}; memory {max(each['peak_mb'] for each in passes['ours']):.0f} MB",
        flush=True,
    )


def main() -> int:
    """Run a comparison, or one pass of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", default="1,10")
    parser.add_argument("--pass", dest="kind", choices=KINDS)
    chosen = parser.parse_args()
    if chosen.kind:
        quiet = structlog.make_filtering_bound_logger(logging.WARNING)
        structlog.configure(wrapper_class=quiet)
        database = etl.settings.settings().database_url
        assert database is not None
        url = database.get_secret_value()
        print(json.dumps(asyncio.run(work(chosen.kind, url, chosen.jobs, int(chosen.concurrency)))))
        return 0
    with postgres() as url:
        migrate(url, Settings())
        for concurrency in map(int, chosen.concurrency.split(",")):
            compare(url, chosen.jobs, chosen.rounds, concurrency)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
