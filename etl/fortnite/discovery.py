"""One read of discovery: every surface of every region, and what changed since the last good one."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

import structlog

from etl.engine.arrays import IntegerArray, TextArray
from etl.engine.database import Database
from etl.engine.errors import Refused, Transient, Unauthorized
from etl.engine.items import Bad
from etl.engine.oauth import Credentials
from etl.engine.snapshot import keep
from etl.engine.text import as_reason, plain
from etl.engine.together import in_lanes
from etl.fortnite.account import OFF, credentials
from etl.fortnite.panels import Read, read_panels
from etl.fortnite.surfaces import Surfaces, open_surfaces
from etl.settings import Settings

log = structlog.get_logger(__name__)

RESOURCE = "fortnite.surface"
CYCLE_S = 600
MARGIN_S = 30
"""Seconds before the next cycle at which this one asks nothing more."""
LANES = 4
MOST_BYTES = 65_536
"""Bytes kept of an entry that cannot be read."""

CLOCK = (
    "select date_bin('10 minutes', coalesce(%s::timestamptz, clock_timestamp()), "
    "'2000-01-01 00:00:00+00') as ts, clock_timestamp() as now"
)
# Who waits longest comes first: a cycle that ends early leaves others out than the last one.
DUE = """
select u.surface, r.region
from unnest(%s::text[]) as u (surface)
cross join unnest(%s::text[]) as r (region)
left join fortnite.surface as s on s.surface = u.surface and s.region = r.region
where s.taken_at is null or s.taken_at < %s
order by s.tried_at nulls first, s.taken_at nulls first, u.surface, r.region
"""
APPLY = (
    "select a.* from fortnite.apply_surface"
    "(%s, %s, %s, %s, %s, %s, %s, %s, %s::boolean[], %s::boolean[], %s, %s, %s) as a"
)
MISS = "select fortnite.miss_surface(%s, %s, %s, %s)"
REJECT = "select raw.reject(%s, null, 0, %s, %s, %s::text[], %s::bytea[])"


@dataclass(slots=True)
class DiscoveryNumbers:
    """What a read of discovery did.

    ``surfaces``: surfaces and regions taken over; ``unread``: those of which nothing could be read.
    ``panels`` and ``entries``: read to their end; ``panels_unread``: panels that were not. ``added``
    to ``discovered`` are the database's counts: placements, panels, islands met for the first time.
    ``rejected``: items set aside. ``complete``: all that was to be read was.
    """

    ts: datetime
    surfaces: int = 0
    unread: int = 0
    panels: int = 0
    panels_unread: int = 0
    entries: int = 0
    added: int = 0
    removed: int = 0
    moved: int = 0
    panels_added: int = 0
    panels_renamed: int = 0
    panels_dropped: int = 0
    discovered: int = 0
    rejected: int = 0
    complete: bool = True

    def as_dict(self) -> dict[str, int | bool | str]:
        """For JSON."""
        return {**asdict(self), "ts": self.ts.isoformat()}


async def read(db: Database, settings: Settings, ts: datetime | None = None) -> DiscoveryNumbers:
    """Read the configured surfaces of the configured regions once.

    Everything carries the start of the cycle, cut to ten minutes UTC. A surface that this cycle has
    taken over already is left alone, so a cycle that died is repeated and does the rest; an older
    cycle never overwrites a newer one. What cannot be read leaves what was known as it is. Shortly
    before the next cycle it stops. Without credentials it does nothing but say so.

    Args:
        db: where placements go.
        settings: where they come from.
        ts: an instant of the cycle; None is now by the database's clock. Given one, the cycle may
            take its ten minutes from now on.

    Raises:
        PlainError: credentials or ETL_TOKEN_KEY are incomplete.
        Unauthorized: our token is not taken; what was read before is stored.
        Refused: no access token is given for ETL_FORTNITE_BRANCH.
        Transient: no token is to be had now.
    """
    clock = await db.fetch_one(CLOCK, (ts,))
    numbers = DiscoveryNumbers(clock["ts"])
    account = credentials(settings)
    if account is None:
        log.info(OFF)
        numbers.complete = False
        return numbers
    gone = 0 if ts is not None else (clock["now"] - clock["ts"]).total_seconds()
    end = asyncio.get_running_loop().time() + CYCLE_S - MARGIN_S - gone
    due = await db.fetch(
        DUE, (list(settings.fortnite_surfaces), list(settings.fortnite_regions), numbers.ts)
    )
    if due:
        wanted = [Read(row["surface"], row["region"]) for row in due]
        await _read_all(db, settings, account, wanted, _Reading(db, settings, numbers, end))
    log.info("discovery read", **numbers.as_dict())
    return numbers


async def _read_all(
    db: Database, settings: Settings, account: Credentials, wanted: list[Read], reading: "_Reading"
) -> None:
    async with open_surfaces(db, settings, account) as surfaces:
        await surfaces.enter()
        await in_lanes(wanted, partial(reading.read, surfaces), LANES)
    if reading.refusal is not None:
        raise reading.refusal


class _Reading:
    """A read of discovery under way. ``refusal``: why the service takes no request of ours any more."""

    def __init__(
        self, db: Database, settings: Settings, numbers: DiscoveryNumbers, end: float
    ) -> None:
        self.refusal: Unauthorized | None = None
        self._db = db
        self._settings = settings
        self._numbers = numbers
        self._end = end

    async def read(self, surfaces: Surfaces, one: Read) -> None:
        """Read one surface of one region and take over what it showed."""
        if self.refusal is not None or asyncio.get_running_loop().time() >= self._end:
            self._numbers.complete = False
            return
        try:
            async with asyncio.timeout_at(self._end):
                main = await surfaces.main(one.surface, one.region)
                page = partial(surfaces.page, one.surface, one.region)
                await read_panels(one, main, page, self._settings.fortnite_surface_pages)
        except (Transient, Refused) as error:
            if isinstance(error, Unauthorized):
                self.refusal = error
            await self._miss(one, error.reason)
        except TimeoutError:
            await self._miss(one, "the cycle was over")
        await self._land(one)
        if one.panels:
            await self._take_over(one)

    async def _miss(self, one: Read, reason: str) -> None:
        self._numbers.complete = False
        log.warning("surface not read", surface=one.key, reason=reason)
        if not one.panels:
            self._numbers.unread += 1
            parameters = (one.surface, one.region, self._numbers.ts, as_reason(reason))
            await self._db.execute(MISS, parameters)

    async def _land(self, one: Read) -> None:
        """What was read is there before anything is made of it."""
        pages = await keep(self._db, RESOURCE, self._numbers.ts, one.pages)
        self._numbers.rejected += pages
        if one.bad:
            await self._reject(one.bad)

    async def _take_over(self, one: Read) -> None:
        done = await self._db.fetch_one(APPLY, arguments(one, self._numbers.ts))
        self._count(one, applied=done.pop("applied"))
        for name, count in done.items():
            setattr(self._numbers, name, getattr(self._numbers, name) + (count or 0))

    def _count(self, one: Read, *, applied: bool) -> None:
        whole = [panel.codes for panel in one.panels if panel.codes is not None]
        self._numbers.surfaces += applied
        self._numbers.panels += len(whole)
        self._numbers.panels_unread += len(one.panels) - len(whole)
        self._numbers.entries += sum(map(len, whole))
        self._numbers.complete &= one.whole and len(whole) == len(one.panels)

    async def _reject(self, bad: list[Bad]) -> None:
        parameters = (
            RESOURCE,
            self._numbers.ts,
            [plain(each.key) if each.key else None for each in bad],
            [as_reason(each.reason) for each in bad],
            [each.body[:MOST_BYTES] for each in bad],
        )
        await self._db.execute(REJECT, parameters)
        self._numbers.rejected += len(bad)


def arguments(one: Read, ts: datetime) -> list[object]:
    """What ``fortnite.apply_surface`` is given for a read."""
    panels = one.panels
    entries = [
        (nth, place, code)
        for nth, panel in enumerate(panels, 1)
        for code, place in (panel.codes or {}).items()
    ]
    return [
        one.surface,
        one.region,
        ts,
        one.whole,
        TextArray.of([panel.panel for panel in panels]),
        TextArray.of([panel.name for panel in panels]),
        TextArray.of([panel.kind for panel in panels]),
        IntegerArray.of([panel.place for panel in panels]),
        [panel.codes is not None for panel in panels],
        [panel.hidden for panel in panels],
        IntegerArray.of([nth for nth, _, _ in entries]),
        IntegerArray.of([place for _, place, _ in entries]),
        TextArray.of([code for _, _, code in entries]),
    ]
