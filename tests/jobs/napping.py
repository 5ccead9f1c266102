"""``etl worker`` with a task that lasts as long as a test wants: ``python -m tests.jobs.napping OPTIONS``."""

import asyncio
import sys

from etl.cli.main import run
from jobs import app


@app.task(name="test.nap", queue="naps")
async def nap(seconds: float) -> dict[str, float]:
    await asyncio.sleep(seconds)
    return {"slept": seconds}


if __name__ == "__main__":
    sys.exit(run(["worker", *sys.argv[1:]]))
