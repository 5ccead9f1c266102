"""The simulated clock: starts anywhere, runs at any speed, can be set; and instants as text."""

from datetime import UTC, datetime, timedelta
from time import monotonic, time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that may run faster than the real one, or stand still.

    Args:
        now: unix seconds it starts at; None for the present.
        speed: seconds that pass in a real second; 0 stops it.
    """

    def __init__(self, now: float | None, speed: float) -> None:
        self._from = time() if now is None else now
        self._since = monotonic()
        self.speed = speed

    def now(self) -> float:
        """Unix seconds."""
        return self._from + (monotonic() - self._since) * self.speed

    def set(self, now: float | None, speed: float | None) -> None:
        """Set it; what is None goes on as it is."""
        self._from = self.now() if now is None else now
        self._since = monotonic()
        self.speed = self.speed if speed is None else speed


def text(at: float) -> str:
    """An instant as the services write it: 2026-07-06T12:00:00.000Z."""
    moment = _EPOCH + timedelta(milliseconds=round(at * 1000))
    return moment.isoformat("T", "milliseconds")[:23] + "Z"


def instant(value: str) -> float:
    """Unix seconds of an ISO 8601 instant; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
