"""Rate limits, measured in real time: a token bucket a service, as large as its limit."""

from time import monotonic

# Requests the real services take: the Data API a second, the others a minute. Player pages share the limit of
# creator pages.
DEFAULTS: dict[str, float | None] = {
    "data": 3.0,
    "links": 10.0,
    "entries": 120.0,
    "creators": 30.0,
    "surfaces": 240.0,
    "token": None,
}
_PERIOD = {"data": 1.0}


class Limits:
    """Token buckets by name; None lifts a limit.

    Args:
        changed: limits that differ from ``DEFAULTS``. Raises ValueError for a name or number that
            cannot be.
    """

    def __init__(self, changed: dict[str, float | None]) -> None:
        self.per_period = dict(DEFAULTS)
        self._tokens: dict[str, float] = {}
        self._at: dict[str, float] = {}
        self.change(changed)

    def change(self, changed: dict[str, float | None]) -> None:
        """Set limits; the buckets of those start full. Raises ValueError, then nothing changed."""
        for name, limit in changed.items():
            if name not in DEFAULTS:
                raise ValueError(f"no limit is named {name!r}; there are {', '.join(DEFAULTS)}")
            if limit is not None and limit <= 0:
                raise ValueError(f"limit {name} is {limit}; it must be above 0, or null to lift it")
        for name, limit in changed.items():
            self.per_period[name] = limit
            self._tokens.pop(name, None)

    def take(self, name: str) -> float:
        """Take one request: 0 where it is granted, else the seconds until one would be."""
        limit = self.per_period[name]
        if limit is None:
            return 0.0
        now, rate = monotonic(), limit / _PERIOD.get(name, 60.0)
        room = max(limit, 1.0)
        tokens = min(room, self._tokens.get(name, room) + (now - self._at.get(name, now)) * rate)
        self._at[name] = now
        granted = tokens >= 1.0
        self._tokens[name] = tokens - 1.0 if granted else tokens
        return 0.0 if granted else (1.0 - tokens) / rate
