"""Replay: typed tables and change logs rebuilt from what the upstream said."""

from collections.abc import Callable, Sequence

import psycopg
import structlog

from etl.engine import watermark
from etl.engine.arrays import ByteaArray, TextArray
from etl.engine.database import Database
from etl.engine.items import Found, Numbers, Resource
from etl.engine.landing import BLAMED, land
from etl.engine.text import as_reason
from etl.errors import PlainError

CHUNK = 200  # entities a transaction; it locks and marks no more

REPLAY = "select * from raw.replay(%s, %s, %s, %s, %s)"
NEXT = """
select key from engine.crawl
where resource = any(%s) and key > %s and version > 0
order by key limit 1
"""
COUNT = """
select count(distinct key) as n from engine.crawl
where resource = any(%s) and key > %s and version > 0
"""
WAITING = """
select rejected_id, key, fetched_at, body from raw.rejected
where resource = %s and replayed_at is null and key is not null and body is not null
  and rejected_id > %s
order by rejected_id limit 100
"""
SUPERSEDED = """
select exists (
  select from engine.crawl where resource = %s and key = %s and last_fetched_at >= %s
) as is_so
"""
DONE = "update raw.rejected set replayed_at = now() where rejected_id = %s"

log = structlog.get_logger(__name__)


async def entities(db: Database, resources: Sequence[Resource], *, resume: bool = False) -> int:
    """How many entities a replay has before it."""
    after = await _stopped_at(db, resources) if resume else ""
    row = await db.fetch_one(COUNT, [[resource.name for resource in resources], after])
    return int(row["n"])


async def _stopped_at(db: Database, resources: Sequence[Resource]) -> str:
    saved = await watermark.load(db, f"replay {resources[0].table}")
    return str(saved.get("after", ""))


async def replay(
    db: Database,
    resources: Sequence[Resource],
    *,
    resume: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Numbers:
    """Rebuild the table that ``resources`` feed, 200 entities a transaction, in byte order of keys.

    Each entity is emptied and given its versions again, those of all resources in the order they
    were fetched; readers see it as it was or as it will be. Landing goes on meanwhile. Killed, it
    leaves what it has done; begun again it gives the same rows, and ``resume`` goes on where the
    last one stopped. An entity that cannot be replayed keeps its rows and is set aside with the
    reason. ``progress`` is told how many entities each chunk had.

    Returns:
        Numbers: ``landed`` entities, ``changed`` versions applied, ``rejected`` entities.

    Raises:
        PlainError: the resources do not feed one table.
        psycopg.Error: the server refused something that is not the data's fault.
    """
    work = _Replay(db, resources)
    if resume:
        work.after = await _stopped_at(db, resources)
    name = f"replay {resources[0].table}"
    while count := await work.step():
        await watermark.save(db, name, {"after": work.after})
        if progress is not None:
            progress(count)
    await watermark.save(db, name, {})
    return work.numbers


class _Replay:
    """A replay under way: all up to the key ``after`` is done."""

    def __init__(self, db: Database, resources: Sequence[Resource]) -> None:
        if len({(resource.table, resource.reset) for resource in resources}) != 1:
            names = ", ".join(resource.name for resource in resources) or "none"
            raise PlainError(f"what is replayed together feeds one table; given: {names}")
        self.after = ""
        self.numbers = Numbers()
        self._db = db
        self._reset = resources[0].reset
        self._names = [resource.name for resource in resources]
        self._applies = [resource.apply for resource in resources]

    async def step(self) -> int:
        """Replay the next chunk; returns how many entities it had, 0 when none was left."""
        count = CHUNK
        while True:
            try:
                row = await self._db.fetch_one(
                    REPLAY, [self._names, self._applies, self._reset, self.after, count]
                )
            except psycopg.Error as error:
                if not (error.sqlstate or "").startswith(BLAMED):
                    raise
                if count == 1:
                    await self._set_aside(error)
                    return 1
                count //= 2
                continue
            self.after = row["last"]
            self.numbers.landed += row["entities"]
            self.numbers.changed += row["versions"]
            return int(row["entities"])

    async def _set_aside(self, error: psycopg.Error) -> None:
        row = await self._db.fetch_one(NEXT, [self._names, self.after])
        self.after = row["key"]
        self.numbers.rejected += 1
        why = as_reason(f"cannot be replayed: {error.diag.message_primary}")
        log.warning("entity left as it was", resource=self._names[0], key=self.after, reason=why)
        await self._db.execute(
            "select raw.reject(%s, null, 0, now(), %s, %s, %s)",
            [
                self._names[0],
                TextArray.of([self.after]),
                TextArray.of([why]),
                ByteaArray.of([None]),
            ],
        )


async def replay_rejected(db: Database, resource: Resource) -> Numbers:
    """Land what was set aside, each as of when it was fetched, now that what refused it is mended.

    What is refused again goes on waiting. What a later fetch has replaced is ticked off without
    being landed. An entity that was dead of it lives again. Killed, it leaves items done or
    waiting.
    """
    numbers = Numbers()
    last = 0
    while rows := await db.fetch(WAITING, [resource.name, last]):
        for row in rows:
            last = row["rejected_id"]
            key, fetched_at = row["key"], row["fetched_at"]
            newer = await db.fetch_one(SUPERSEDED, [resource.name, key, fetched_at])
            if not newer["is_so"]:
                landed = await land(db, resource, [Found(key, row["body"])], fetched_at)
                numbers.add(landed)
                if landed.rejected:
                    continue
            await db.execute(DONE, [last])
    return numbers
