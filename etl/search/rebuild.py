"""An index built again beside the one that is searched, and the way back to the one before."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.errors import PlainError
from etl.search.fill import fill
from etl.search.indices import alias, content_hash, ensure_one, promote
from etl.search.reconcile import catch_up
from etl.search.sync import sync
from etl.settings import Settings

log = structlog.get_logger(__name__)

PAUSE = 1.0
"""Seconds between two looks at what another process still has in its hands."""


@dataclass
class Turn:
    """What was done for an index: documents ``filled`` in, marked to ``catch_up``; ``live``: it took its place."""

    filled: int = 0
    caught_up: int = 0
    live: bool = False


async def turn(
    db: Database, es: AsyncElasticsearch, settings: Settings, index: str, seconds: float
) -> Turn:
    """Go on with whatever ``index`` needs to be built, for about so long.

    Nothing, mostly. A mapping or view that changed, an index that was lost, one that a person asked
    for or rolled back to: each is brought a part further, and takes its place when it is ready.

    Raises:
        SearchUnavailable: Elasticsearch is away; the next turn goes on.
    """
    until = asyncio.get_running_loop().time() + seconds
    await ensure_one(db, es, settings, index)
    filled = await fill(db, es, settings, index, until=until)
    caught_up = await catch_up(db, es, index)
    return Turn(filled, caught_up, await promote(db, es, settings, index))


async def demand(db: Database, es: AsyncElasticsearch, settings: Settings, index: str) -> str:
    """Begin to build ``index`` again, or go on if that is under way; the new physical index.

    Another worker may have finished it by the time this returns.
    """
    await ensure_one(db, es, settings, index)
    await db.execute("select search.demand_rebuild(%s)", (index,))
    await ensure_one(db, es, settings, index)
    row = await db.fetch_one(
        "select physical from search.target where index = %s and state <> 'retired'"
        " order by state = 'live' limit 1",
        (index,),
    )
    return str(row["physical"])


async def extent(db: Database, index: str, physical: str) -> tuple[int, int]:
    """How many documents an index will have, and how many were filled in so far."""
    row = await db.fetch_one(
        "select search.documents(%s) as wanted,"
        " (select filled from search.target where index = %s and physical = %s) as had",
        (index, index, physical),
    )
    return row["wanted"], row["had"] or 0


async def roll_back(db: Database, settings: Settings, index: str) -> str:
    """Make the index that was live before a target again; :func:`until_live` has it take its place.

    It has missed what changed since, so that is sent to it first. It then stands for the mapping
    and view of this code until they change or somebody rebuilds.

    Raises:
        PlainError: no such index is kept, or it cannot be compared with the view.
    """
    row = await db.fetch_one(
        "select search.roll_back(%s, %s) as physical",
        (index, await content_hash(db, alias(index, settings), index)),
    )
    if row["physical"] is None:
        raise PlainError(
            f"no earlier index of {index} is kept to roll back to: one is for "
            f"ETL_SEARCH_KEEP_HOURS ({settings.search_keep_hours:g}) after it was replaced"
        )
    return str(row["physical"])


async def until_live(
    db: Database,
    es: AsyncElasticsearch,
    settings: Settings,
    index: str,
    physical: str,
    *,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Fill ``physical``, or bring it up to date, drain what waits, and have it take its place.

    Killed anywhere, the next call or a worker's turn goes on. ``progress`` is told how many more
    documents were filled in.

    Raises:
        SearchUnavailable: Elasticsearch is away; what was done stays done.
        PlainError: another one took its place: the mapping or view changed meanwhile.
    """
    while True:
        await fill(db, es, settings, index, progress=progress)
        await sync(db, es, settings)
        rows = await db.fetch(
            "select state from search.target where index = %s and physical = %s", (index, physical)
        )
        state = rows[0]["state"] if rows else "deleted"
        if state == "live":
            return
        if state != "building":
            raise PlainError(f"{physical} is {state}: another index of {index} is built meanwhile")
        await asyncio.sleep(PAUSE)
