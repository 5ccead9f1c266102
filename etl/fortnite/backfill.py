"""Landing files of CCU history: a batch a transaction, from where the last run stopped."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime

from psycopg.rows import DictRow

from etl.engine.arrays import ByteaArray, IntegerArray, TextArray
from etl.engine.database import Database
from etl.engine.text import as_reason
from etl.errors import PlainError
from etl.fortnite.history import Bad, Batch, Unreadable
from etl.fortnite.history_file import Source

SERIES = "fortnite.ccu"
SHOWN = 20  # bad lines a run remembers

BEGIN = """
insert into engine.backfill as b (series, digest, size_bytes, name) values (%s, %s, %s, %s)
on conflict (series, digest, size_bytes) do update set name = excluded.name
returning *
"""
BOUNDS = """
select
  nullif(s.floor, '-infinity') as floor,
  ceil(date_part('epoch', s.floor) / 600) as first,
  floor(date_part('epoch', clock_timestamp()) / 600)::integer as last,
  clock_timestamp() as now
from engine.series as s where s.relation = 'fortnite.ccu'
"""
UNKNOWN = """
select u.code from unnest(%s) as u (code)
where not exists (select from fortnite.island as i where i.code = u.code)
"""
MEET = "select fortnite.meet_islands(%s, 'backfill', now()) as met"
STORE = "select fortnite.backfill_ccu(%s, %s, %s, %s) as stored"
MOVE = "select engine.move_backfill(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) as moved"
END = """
update engine.backfill set finished_at = coalesce(finished_at, now())
where backfill_id = %s returning *
"""

FORGET = "delete from engine.backfill where backfill_id = %s and lines = 0"

Progress = Callable[[int, int], None]


class TooManyBad(PlainError):
    """So many lines of a file are bad that it is likely not what it was taken for."""


@dataclass(frozen=True)
class Options:
    """What to do with lines that could be taken one way or the other.

    ``since``: lines of before it are left out. ``known_only``: samples of islands that we do not know are set aside,
    else those islands are added. ``most_rejected``: set-aside lines of a file past which it is stopped at.
    """

    since: datetime | None = None
    known_only: bool = False
    most_rejected: int = 10_000


@dataclass
class Outcome:
    """What has become of a file, all its runs together; ``bad`` are the first bad lines of this one.

    ``already``: it was landed before and nothing was done.
    """

    name: str
    lines: int = 0
    stored: int = 0
    skipped: int = 0
    rejected: int = 0
    discovered: int = 0
    already: bool = False
    bad: list[Bad] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        bad = [{"line": one.line, "reason": one.reason} for one in self.bad]
        return {**asdict(self), "bad": bad}


async def backfill(
    db: Database, source: Source, options: Options, progress: Progress | None = None
) -> Outcome:
    """Land the samples of a file, from where an earlier run of the same content stopped; of a finished one, nothing.

    Each batch is landed, then the position moves with the bad lines set aside: killed at any point, some lines are
    landed again, which changes nothing, and none is counted or set aside twice. Roll-ups, records and what follows from
    them correct themselves with the next refresh. ``progress`` is told how far the file is and how many lines that is.

    Raises:
        Unreadable: it is no file of samples; nothing is remembered of it.
        TooManyBad: more lines were set aside than the options allow; called again it goes on.
        PlainError: another process lands the same file, or it changed meanwhile.
    """
    held = await db.fetch_one(BEGIN, (SERIES, source.digest, source.size, source.path.name))
    if held["finished_at"] is not None:
        return _outcome(held, already=True)
    try:
        bad = await _land_all(db, held, source, options, progress)
    except Unreadable:
        await db.execute(FORGET, [held["backfill_id"]])
        raise
    done = _outcome(await db.fetch_one(END, [held["backfill_id"]]))
    done.bad = bad
    return done


async def _land_all(
    db: Database, held: DictRow, source: Source, options: Options, progress: Progress | None
) -> list[Bad]:
    """Land what is left of a file; gives the first bad lines."""
    bad: list[Bad] = []
    position, rejected = held["position"], held["rejected"]
    async with source.batches(position, held["lines"], options.since) as batches:
        async for batch in batches:
            landed = await _land(db, held, position, batch, options)
            position = landed.until
            rejected += len(landed.bad)
            bad += landed.bad[: SHOWN - len(bad)]
            if progress is not None:
                progress(position, landed.lines)
            if rejected > options.most_rejected:
                raise TooManyBad(_too_many(source.path.name, rejected, bad))
    if position != source.total:
        raise PlainError(f"{source.path.name}: it changed while it was read: start again")
    return bad


async def rehearse(
    db: Database, source: Source, options: Options, progress: Progress | None = None
) -> Outcome:
    """Read a file as :func:`backfill` does and tell what would become of it; writes nothing. Counts no new islands."""
    done = Outcome(source.path.name)
    async with source.batches(0, 0, options.since) as batches:
        async for batch in batches:
            kept = _within(batch, await db.fetch_one(BOUNDS))
            if options.known_only:
                kept = await _known(db, kept)
            done.lines = kept.lines
            done.stored += len(kept.ccu)
            done.skipped += kept.skipped
            done.rejected += len(kept.bad)
            done.bad += kept.bad[: SHOWN - len(done.bad)]
            if progress is not None:
                progress(kept.until, kept.lines)
    return done


async def _land(
    db: Database, held: DictRow, position: int, batch: Batch, options: Options
) -> Batch:
    """Land a batch and move on from ``position``; the batch as it was landed, all its bad lines among them."""
    met = 0
    while True:
        kept = _within(batch, await db.fetch_one(BOUNDS))
        codes = TextArray.of([code.decode("ascii") for code in kept.codes])
        if options.known_only:
            kept = await _known(db, kept)
            codes = TextArray.of([code.decode("ascii") for code in kept.codes])
        elif kept.ccu:
            met += (await db.fetch_one(MEET, [codes]))["met"]
        if not kept.ccu or await _store(db, codes, kept):
            break  # else what is kept was cut while it was on its way: looked at again
    moved = await db.fetch_one(
        MOVE,
        (
            held["backfill_id"], position, kept.until, kept.lines, len(kept.ccu), kept.skipped, met,
            TextArray.of([one.key for one in kept.bad]),
            TextArray.of([as_reason(f"{held['name']} line {one.line}: {one.reason}") for one in kept.bad]),
            ByteaArray.of([one.body for one in kept.bad]),
        ),
    )  # fmt: skip
    if not moved["moved"]:
        raise PlainError(f"{held['name']}: another process lands it: wait for it to end")
    return kept


async def _store(db: Database, codes: TextArray, batch: Batch) -> bool:
    columns = (IntegerArray.of(one) for one in (batch.nth, batch.steps, batch.ccu))
    return bool((await db.fetch_one(STORE, (codes, *columns)))["stored"])


def _within(batch: Batch, bounds: DictRow) -> Batch:
    """A batch without samples that are older than what is kept, or of the future."""
    first, last = bounds["first"], bounds["last"]
    if not batch.steps or (min(batch.steps) >= first and max(batch.steps) <= last):
        return batch

    def why(_: bytes, step: int) -> str | None:
        if step < first:
            return f"older than {bounds['floor']:%Y-%m-%d %H:%M}, before which CCU is not kept"
        if step > last:
            return (
                f"of the future: by the clock of the database it is {bounds['now']:%Y-%m-%d %H:%M}"
            )
        return None

    return batch.without(why)


async def _known(db: Database, batch: Batch) -> Batch:
    """A batch without samples of islands that we do not know."""
    rows = await db.fetch(UNKNOWN, [TextArray.of([code.decode("ascii") for code in batch.codes])])
    unknown = {row["code"].encode() for row in rows}
    return batch.without(lambda code, _: "its island is not known" if code in unknown else None)


def _outcome(held: DictRow, *, already: bool = False) -> Outcome:
    counts = ("name", "lines", "stored", "skipped", "rejected", "discovered")
    return Outcome(**{name: held[name] for name in counts}, already=already)


def _too_many(name: str, rejected: int, bad: list[Bad]) -> str:
    first = "".join(f"\n  line {one.line}: {one.reason}" for one in bad[:3])
    return (
        f"{name}: {rejected:,} lines were set aside, which is more than --most-rejected allows. The first of this run:"
        f"{first}\nMend the file, leave out what is too old with --since, or raise --most-rejected; what was "
        "landed stays"
    )
