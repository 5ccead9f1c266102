"""Indices held against the database: what drifted is counted, remembered and, if asked for, sent again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from elasticsearch import AsyncElasticsearch

from etl.engine.clock import read_clock
from etl.engine.database import Database
from etl.search.compare import Comparison, Drift
from etl.search.indices import alias, content_hash, ensure_one
from etl.search.steps import mark
from etl.settings import Settings

log = structlog.get_logger(__name__)

EXAMPLES = 10

LIVE = """
select t.physical, t.content_hash, t.live_at, t.filled_at from search.target as t
where t.index = %s and t.state = 'live'
"""
TO_CATCH_UP = """
select t.physical from search.target as t where t.index = %s and t.state = 'building' and t.catch_up
"""
CAUGHT_UP = """
update search.target set catch_up = false, filled_at = clock_timestamp()
where index = %s and physical = %s and state = 'building' and catch_up
"""
REMEMBER = """
insert into search.drift (
  index, physical, started_at, finished_at, thorough, repaired,
  documents, missing, extra, different, examples
)
values (%s, %s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s, %s)
on conflict (index) do update
set
  physical = excluded.physical, started_at = excluded.started_at,
  finished_at = excluded.finished_at, thorough = excluded.thorough,
  repaired = excluded.repaired, documents = excluded.documents, missing = excluded.missing,
  extra = excluded.extra, different = excluded.different, examples = excluded.examples
"""


@dataclass
class Report:
    """What a comparison found; ``skipped`` says why there was none.

    ``documents``: rows of the view. ``repaired``: what drifted was marked. ``examples``: some ids.
    """

    documents: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    repaired: bool = False
    examples: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def drifted(self) -> int:
        """Documents that are not as the database has them."""
        return self.missing + self.extra + self.different

    def add(self, drift: Drift) -> None:
        """Count what was found in a part."""
        self.missing += len(drift.missing)
        self.extra += len(drift.extra)
        self.different += len(drift.different)
        self.examples = [*self.examples, *drift.ids][:EXAMPLES]


async def reconcile(
    db: Database,
    es: AsyncElasticsearch,
    settings: Settings,
    index: str,
    *,
    repair: bool = False,
    thorough: bool = False,
) -> Report:
    """Compare the live index with its view; with ``repair`` what drifted is marked for the next sync.

    By digests; ``thorough`` reads every body, too, which alone finds one that was changed without
    its digest. Documents that are pending or refused are no drift. Changes nothing else, and may be
    repeated and run beside everything.

    Raises:
        SearchUnavailable: Elasticsearch is away; marks that were set stay.
    """
    await ensure_one(db, es, settings, index)
    rows = await db.fetch(LIVE, (index,))
    (live,) = rows
    if live["filled_at"] is None:
        return Report(skipped="it is new, or was lost, and is being filled")
    if live["content_hash"] != await content_hash(db, alias(index, settings), index):
        return Report(skipped="it is for another mapping or view and is being built again")
    started_at = (await read_clock(db)).now()
    comparison = Comparison(db, es, index, live["physical"])
    report = Report(repaired=repair)
    async for drift in comparison.drift(thorough=thorough):
        # From then on no sync sends to it what changes: what it lacks would be no drift.
        if drift.ids and (await db.fetch(LIVE, (index,)))[:1] != rows:
            return Report(skipped="another index took its place meanwhile")
        report.add(drift)
        if repair:
            await _mark(db, index, drift.ids)
    report.documents = comparison.documents
    await db.execute(
        REMEMBER,
        (
            index, comparison.physical, started_at, thorough, repair, report.documents,
            report.missing, report.extra, report.different, report.examples,
        ),
    )  # fmt: skip
    return report


async def catch_up(db: Database, es: AsyncElasticsearch, index: str) -> int:
    """Mark what an index that may hold old documents has otherwise than the view; how many that were.

    Pending ones, too: the sync that has them in hand may not know of this index. Dies anywhere, the
    next call does it again.
    """
    marked = 0
    for row in await db.fetch(TO_CATCH_UP, (index,)):
        comparison = Comparison(db, es, index, row["physical"])
        async for suspects in comparison.suspects():
            await _mark(db, index, list(suspects))
            marked += len(suspects)
        await db.execute(CAUGHT_UP, (index, row["physical"]))
        log.info("index is caught up", index=row["physical"], documents=marked)
    return marked


async def _mark(db: Database, index: str, ids: Sequence[str]) -> None:
    """Mark documents whose next versions have to be above whatever Elasticsearch holds.

    A document changed behind our back counts its version up by one, and a restored index may have
    any that was drawn: the clock in microseconds is past them all.
    """
    if ids:
        await db.execute("select search.lift(v.last_value + 1) from search.version as v")
    await mark(db, index, ids)
