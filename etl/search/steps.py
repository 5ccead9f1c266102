"""The steps of a sync; :mod:`etl.search.sync` puts them together and says why they are apart."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from elasticsearch import AsyncElasticsearch

from etl.engine.database import Database
from etl.engine.text import as_reason
from etl.search import bulk
from etl.search.bulk import Chunk, Outcome, Pace
from etl.settings import Settings

MARKS = 5_000
"""Documents that one transaction may mark."""


@dataclass(frozen=True)
class Lease:
    """Documents this worker alone sends until its lease ends.

    Refusals of ``targets[0]`` count: another one is there for an older mapping, until the first
    takes its place. ``id_array`` and ``mark_array`` are PostgreSQL's own text of ids and marks,
    handed back unread. ``until``: time of the running loop to have sent the batch by.
    """

    index: str
    ids: Sequence[str]
    id_array: str
    mark_array: str
    targets: Sequence[str]
    until: float


@dataclass(frozen=True)
class Batch:
    """What was read: the bulk request as it is sent, and which of its documents it deletes."""

    ids: Sequence[str]
    body: bytes
    version: int
    gone: AbstractSet[str]


@dataclass
class Sent(Outcome):
    """What became of a batch at all of its targets.

    ``gone``: its deletes. ``overtaken``: nowhere taken, as a higher version was there.
    """

    gone: AbstractSet[str] = frozenset()
    overtaken: AbstractSet[str] = frozenset()


async def mark(db: Database, index: str, ids: Sequence[str]) -> None:
    """Mark documents as changed, so many a transaction; dying in between leaves whole ones behind."""
    for start in range(0, len(ids), MARKS):
        await db.execute("select search.mark(%s, %s)", (index, list(ids[start : start + MARKS])))


async def lease(db: Database, settings: Settings, index: str, n: int) -> Lease | None:
    """Step 1: take up to ``n`` pending documents; None when none is free."""
    # Half of the lease for sending: the other half outlasts a request that is still on its way.
    until = asyncio.get_running_loop().time() + settings.search_lease / 2
    rows = await db.fetch(
        "select ids, ids::text as id_array, marks::text as mark_array, targets"
        " from search.lease(%s, %s, make_interval(secs => %s))",
        (index, n, settings.search_lease),
    )
    if not rows:
        return None
    (row,) = rows
    if not row["targets"]:
        raise RuntimeError(f"search.target has no index for {index}: call ensure first")
    return Lease(index, **row, until=until)


async def draw(db: Database) -> int:
    """Step 2: a version above all drawn before, and below that of whoever reads later changes.

    :func:`etl.search.epoch.note` comes before anything is sent under it.
    """
    return int((await db.fetch_one("select search.draw() as version"))["version"])


async def read(db: Database, leased: Lease, version: int) -> Batch:
    """Step 3: the documents as they are now; one that has left its view becomes a delete."""
    row = await db.fetch_one(
        "select * from search.read(%s, %s::text[], %s)",
        (leased.index, leased.id_array, version),
        binary=True,
    )
    return Batch([*row["ids"], *row["gone"]], row["body"], version, set(row["gone"]))


async def send(
    es: AsyncElasticsearch,
    settings: Settings,
    leased: Lease,
    batch: Batch,
    pace: Pace | None = None,
) -> Sent:
    """Step 4: send to every target; see :func:`etl.search.bulk.send`."""
    whole = Sent(gone=batch.gone)
    chunk, size = Chunk(batch.ids, batch.body), pace or settings.search_bytes
    overtaken = []
    for target in leased.targets:
        one = await bulk.send(es, target, chunk, size=size, until=leased.until)
        if target == leased.targets[0]:
            whole.refused = one.refused
        whole.waiting |= one.waiting
        whole.held |= one.held
        whole.lost |= one.lost
        overtaken.append({key for key, held in one.held.items() if held > batch.version})
    whole.overtaken = set.intersection(*overtaken)
    return whole


async def settle(db: Database, leased: Lease, outcome: Sent) -> None:
    """Step 5: delete the leased marks of what was taken or refused, give back what waits."""
    refused = {key: why for key, why in outcome.refused.items() if key not in outcome.waiting}
    await db.execute(
        "select search.settle(%s, %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],"
        " %s, %s::text[], %s::text[])",
        (
            leased.index,
            leased.id_array,
            leased.mark_array,
            list(outcome.waiting),
            list(refused),
            [as_reason(why) for why in refused.values()],
            leased.targets[0],
            list(outcome.gone),
            list(outcome.overtaken),
        ),
    )
