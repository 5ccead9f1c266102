"""What the listings of one CCU cycle share: its timestamp, its end, what it did so far."""

import asyncio
from dataclasses import asdict, dataclass, field
from datetime import datetime

from etl.engine.database import Database
from etl.engine.errors import Unauthorized
from etl.fortnite.client import Discovery
from etl.settings import Settings


@dataclass(slots=True)
class CycleNumbers:
    """What a CCU cycle did. ``stored`` to ``rejected`` are the database's counts.

    ``asked``: islands asked for by code. ``creators``: creators whose pages were read. ``stored``:
    samples. ``skipped``: negative or absent values, which are none. ``discovered``: islands met for
    the first time. ``rejected``: entries set aside. ``failed``: requests without a usable answer.
    ``complete``: all that was to be asked was answered.
    """

    ts: datetime
    asked: int = 0
    creators: int = 0
    stored: int = 0
    skipped: int = 0
    discovered: int = 0
    rejected: int = 0
    failed: int = 0
    complete: bool = True

    def as_dict(self) -> dict[str, int | bool | str]:
        """For JSON."""
        return {**asdict(self), "ts": self.ts.isoformat()}


@dataclass(slots=True)
class Cycle:
    """A cycle under way.

    ``end``: instant of the loop's clock past which nothing is asked any more. ``taken``: codes that
    have a sample or will get one, so that no listing stores what another does. ``refusal``: why the
    service takes no request of ours any more.
    """

    db: Database
    settings: Settings
    discovery: Discovery
    numbers: CycleNumbers
    end: float
    taken: set[str] = field(default_factory=set)
    refusal: Unauthorized | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is asked any more."""
        return self.refusal is not None or asyncio.get_running_loop().time() >= self.end
