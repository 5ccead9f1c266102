"""The Data API's metrics of an island: what is asked, and its answer as buckets, good and bad apart."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil, isfinite
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta

from etl.engine import split
from etl.engine.database import Database
from etl.engine.errors import Transient
from etl.engine.http import Service, Upstream, open_upstream
from etl.engine.split import NotSplit
from etl.settings import MetricInterval, Settings

KEPT = timedelta(days=7)
"""How far back upstream tells."""
MARGIN = timedelta(minutes=1)
"""How much further it may be with that when it is asked."""
SKEW = timedelta(minutes=10)
"""How far upstream's clock may be ahead of ours."""
OLDEST = timedelta(days=30)
MOST_COUNT = 2**31 - 1
MOST_MINUTES = 2**53

COUNTS = {
    "peakCCU": "peak_ccu",
    "uniquePlayers": "unique_players",
    "plays": "plays",
    "minutesPlayed": "minutes_played",
    "favorites": "favorites",
    "recommendations": "recommendations",
}
AVERAGE, RETENTION = "averageMinutesPerPlayer", "retention"
COLUMNS = {**COUNTS, AVERAGE: "average_minutes_per_player"}
_RATES = {"d1": "retention_d1", "d7": "retention_d7"}

_Number = int | float | None
_Instant = Annotated[datetime, Meta(tz=True)]
Value = int | float | None
"""A metric of a bucket; None is withheld."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Buckets of one width: minutes, the metrics every answer must have, and those it may."""

    minutes: int
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


INTERVALS: dict[MetricInterval, Interval] = {
    "day": Interval(1440, (*COUNTS, AVERAGE), (RETENTION,)),
    # where the description contradicts itself, the average of an hour may be there
    "hour": Interval(60, tuple(COUNTS), (AVERAGE,)),
    "minute": Interval(10, tuple(COUNTS)),
}


class _Value(msgspec.Struct):
    timestamp: _Instant
    value: _Number = None


class _Retention(msgspec.Struct):
    timestamp: _Instant
    d1: _Number = None
    d7: _Number = None


class Bucket(msgspec.Struct, kw_only=True):
    """The metrics of one bucket. ``said``: columns that were told, null or not; ``whole``: all that must be."""

    minutes: int
    ts: datetime
    whole: bool = False
    said: list[str] = []
    peak_ccu: Value = None
    unique_players: Value = None
    plays: Value = None
    minutes_played: Value = None
    average_minutes_per_player: Value = None
    favorites: Value = None
    recommendations: Value = None
    retention_d1: Value = None
    retention_d7: Value = None


@dataclass(slots=True)
class Answered:
    """An answer. ``trouble``: why there may be more to it than ``buckets``; ``body`` then is the whole of it, as bytes.

    Without a body the answer is empty: nothing to be set aside.
    """

    buckets: list[Bucket] = field(default_factory=list)
    trouble: str | None = None
    body: bytes | None = None


class MetricsApi:
    """The metrics of the Data API. Build with :func:`open_metrics`."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.turn = upstream.reserve

    async def read(self, code: str, interval: MetricInterval, since: datetime) -> bytes:
        """All metrics of an island from an instant until now, as bytes; :func:`parse` takes them apart.

        Raises:
            Transient, Refused: as Upstream.get. 404 with an error code: it knows no such island.
        """
        path = f"/islands/{quote(code, safe='')}/metrics"
        since = since.astimezone(UTC)
        answer = await self._upstream.get(
            path if interval == "day" else f"{path}/{interval}",
            params={"from": f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}Z"},
        )
        return answer.body


def kept_from(interval: MetricInterval, now: datetime) -> datetime:
    """Start of the first bucket that upstream surely tells, and tells whole.

    Of a bucket that holds the instant asked from, that is not described: only whole ones are asked for.
    """
    step = INTERVALS[interval].minutes * 60
    return datetime.fromtimestamp(ceil((now - KEPT + MARGIN).timestamp() / step) * step, UTC)


@asynccontextmanager
async def open_metrics(db: Database, settings: Settings) -> AsyncIterator[MetricsApi]:
    """The metrics of the Data API, closed at exit: no account, and one throttle with the catalogue."""
    rate = settings.fortnite_data_per_second
    # the turns of some requests, ours and the catalogue's; not the end of a closure
    patience = 5 + 12 / rate
    service = Service(str(settings.fortnite_data_url), "fortnite.data", rate, patience)
    async with open_upstream(db, settings, service) as upstream:
        yield MetricsApi(upstream)


def parse(body: bytes, interval: MetricInterval, read_at: datetime) -> Answered:
    """The buckets of an answer, oldest first.

    Metrics that are not known are left out. What cannot be read of one metric costs the others
    nothing, and is the trouble that is told.

    Raises:
        Transient: there is nothing in it, or no bucket: sometimes a 200 comes empty.
    """
    if body.strip() == b"[]":
        raise Transient("the answer is an empty list")
    try:
        series = split.members(body)
    except NotSplit as error:
        return Answered([], f"it is no object of metrics: {error}", body)
    return _Reading(INTERVALS[interval], read_at).read(series, body)


class _Reading:
    """An answer being read: its buckets by start, and what is wrong with it."""

    def __init__(self, interval: Interval, read_at: datetime) -> None:
        self._interval = interval
        self._read_at = read_at
        self._buckets: dict[datetime, Bucket] = {}
        self._wrong: list[str] = []

    def read(self, series: dict[str, bytes], body: bytes) -> Answered:
        known = (*self._interval.required, *self._interval.optional)
        if not any(name in series for name in known):
            if series:
                return Answered([], f"none of its fields is a metric: {_some(series)}", body)
            raise Transient("the answer is an object without metrics")
        for name in known:
            if name in series:
                self._series(name, series[name])
            elif name in self._interval.required:
                self._wrong.append(f"it has no {name}")
        if not self._buckets and not self._wrong:
            raise Transient("the answer has no bucket")
        needed = {COLUMNS[name] for name in self._interval.required}
        for bucket in self._buckets.values():
            bucket.whole = needed <= set(bucket.said)
        buckets = [self._buckets[ts] for ts in sorted(self._buckets)]
        if not self._wrong:
            return Answered(buckets)
        return Answered(buckets, "; ".join(self._wrong[:5]), body)

    def _series(self, name: str, raw: bytes) -> None:
        try:
            elements = split.elements(raw)
        except NotSplit as error:
            self._wrong.append(f"{name} is no list: {error}")
            return
        for element in elements:
            try:
                ts, values = _values(name, element)
                bucket = self._bucket(ts)
            except ValueError as error:
                self._wrong.append(f"{name}: {error}")
                continue
            for column, value in values:
                setattr(bucket, column, value)
                if column not in bucket.said:
                    bucket.said.append(column)

    def _bucket(self, ts: datetime) -> Bucket:
        minutes = self._interval.minutes
        if ts.timestamp() % (minutes * 60):
            raise ValueError(f"{ts.isoformat()} is no start of {minutes} minutes")
        if not self._read_at - OLDEST <= ts <= self._read_at + SKEW:
            raise ValueError(f"{ts.isoformat()} is not of the last days")
        return self._buckets.setdefault(ts, Bucket(minutes=minutes, ts=ts, said=[]))


def _values(name: str, element: bytes) -> tuple[datetime, Iterator[tuple[str, Value]]]:
    """Start of the bucket an element is of, and its values by column. Raises ValueError."""
    if name == RETENTION:
        rate = split.read(element, _Retention)
        told = {column: _rate(getattr(rate, key)) for key, column in _RATES.items()}
        return rate.timestamp, iter(told.items())
    found = split.read(element, _Value)
    column = COLUMNS[name]
    if name == AVERAGE:
        return found.timestamp, iter([(column, _rate(found.value))])
    most = MOST_MINUTES if column == "minutes_played" else MOST_COUNT
    return found.timestamp, iter([(column, _count(found.value, most))])


def _count(value: _Number, most: int) -> int | None:
    if value is None:
        return None
    if not (0 <= value <= most) or value != int(value):
        raise ValueError(f"{value} is no count")
    return int(value)


def _rate(value: _Number) -> float | None:
    if value is None:
        return None
    if not (isfinite(value) and 0 <= value <= MOST_MINUTES):
        raise ValueError(f"{value} is no rate")
    return float(value)


def _some(names: dict[str, bytes]) -> str:
    return ", ".join(f"{name[:40]!a}" for name in list(names)[:5])
