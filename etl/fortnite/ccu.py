"""One CCU cycle: how many play each island that somebody plays, all under one timestamp."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import structlog

from etl.engine.database import Database
from etl.engine.errors import Refused, Transient
from etl.engine.together import in_lanes, together
from etl.fortnite.account import OFF, credentials
from etl.fortnite.client import MOST_CODES, open_discovery
from etl.fortnite.creators import sample_creators
from etl.fortnite.cycle import Cycle, CycleNumbers
from etl.fortnite.listing import Listing
from etl.settings import Settings

log = structlog.get_logger(__name__)

SOURCE = "entries"
CYCLE_S = 600
MARGIN_S = 20
"""Seconds before the next cycle at which this one asks nothing more."""
LANES = 4


async def cycle(
    db: Database, settings: Settings, ts: datetime | None = None, *, pages: int | None = None
) -> CycleNumbers:
    """Sample CCU once: the candidates by code, and as many creator pages as the rate allows.

    All samples carry the start of the cycle, cut to ten minutes UTC, so that a cycle that is
    repeated overwrites itself. A request that fails leaves the cycle incomplete and the rest goes
    on; shortly before the next cycle it stops. When it dies, what was stored stays and its rows in
    ``fortnite.ccu_cycle`` stay unfinished. Without credentials it does nothing but say so.

    Args:
        db: where samples go.
        settings: where they come from.
        ts: an instant of the cycle; None is now by the database's clock. Given one, the cycle may
            take its ten minutes from now on.
        pages: creator pages asked for at most; None is as many as the rate allows.

    Raises:
        PlainError: credentials or ETL_TOKEN_KEY are incomplete.
        Unauthorized: our token is not taken; what was sampled before is stored.
        Transient: no token is to be had now.
    """
    clock = await db.fetch_one(
        "select date_bin('10 minutes', coalesce(%s::timestamptz, clock_timestamp()), "
        "'2000-01-01 00:00:00+00') as ts, clock_timestamp() as now",
        (ts,),
    )
    numbers = CycleNumbers(clock["ts"])
    account = credentials(settings)
    if account is None:
        log.info(OFF)
        numbers.complete = False
        return numbers
    gone = 0 if ts is not None else (clock["now"] - clock["ts"]).total_seconds()
    seconds = CYCLE_S - MARGIN_S - gone
    allowed = page_requests(settings.fortnite_creators_per_minute, seconds)
    requests = allowed if pages is None else min(pages, allowed)
    end = asyncio.get_running_loop().time() + seconds
    async with open_discovery(db, settings, account) as discovery:
        await _sample(Cycle(db, settings, discovery, numbers, end), requests)
    return numbers


async def _sample(sampling: Cycle, requests: int) -> None:
    await together(_entries(sampling), sample_creators(sampling, requests))
    log.info("CCU cycle ended", **sampling.numbers.as_dict())
    if sampling.refusal is not None:
        raise sampling.refusal


def page_requests(per_minute: int, seconds: float) -> int:
    """Creator pages to ask for in so many seconds: what the rate allows where nobody else asks."""
    return int(per_minute * max(seconds, 0.0) / 60)


async def _entries(sampling: Cycle) -> None:
    """Ask for the candidates by code."""
    rows = await sampling.db.fetch(
        "select c.code from fortnite.ccu_candidates(%s) as c (code)",
        (sampling.settings.fortnite_ccu_top,),
    )
    codes = [row["code"] for row in rows]
    sampling.numbers.asked = len(codes)
    sampling.taken.update(codes)
    listing = Listing(sampling, SOURCE)
    await listing.open(len(codes))

    async def ask(batch: list[str]) -> None:
        if sampling.over:
            listing.complete = False
            return
        try:
            counts = await listing.ask(sampling.discovery.entries(batch))
        except (Transient, Refused):
            sampling.taken.difference_update(batch)  # a creator page may still have them
            return
        await listing.add(counts)

    await in_lanes(_hundreds(codes), ask, LANES)
    await listing.close()


def _hundreds(codes: list[str]) -> Iterator[list[str]]:
    left = iter(codes)
    while batch := list(islice(left, MOST_CODES)):
        yield batch
