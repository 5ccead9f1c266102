"""The Data API's metrics of an island, by day, hour and ten minutes.

As in the real service the last 20 minutes are not in yet, the day still running is partial, and
seven days are kept: what begins before midnight UTC seven days ago is refused. A bucket is told that
begins at ``from`` or later, as described; whether the one that holds ``from`` is told, too, is not
known, and here it is not.
"""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.datastructures import QueryParams
from starlette.responses import Response

from etl.simulator import buckets, problems
from etl.simulator.bodies import Body
from etl.simulator.clock import instant, text
from etl.simulator.days import Day
from etl.simulator.gate import Ask
from etl.simulator.world import ADDED, DAY, HIDDEN

_LAG = 1200.0
_KEPT = 7 * DAY
_STEPS = {"day": DAY, "hour": 3600.0, "minute": buckets.SAMPLE}
_BACK = {"day": DAY, "hour": DAY, "minute": 3600.0}
_RETENTION, _AVERAGE = "retention", "averageMinutesPerPlayer"
# The name in a body and the field; the name in a path is the field with hyphens.
_FIELDS = {
    _AVERAGE: "average_minutes_per_player",
    "peakCCU": "peak_ccu",
    "favorites": "favorites",
    "minutesPlayed": "minutes_played",
    "recommendations": "recommendations",
    "plays": "plays",
    "uniquePlayers": "unique_players",
    _RETENTION: "retention",
}
_PATHS = {field.replace("_", "-"): name for name, field in _FIELDS.items()}


class _Range(NamedTuple):
    start: float
    end: float
    step: float


def several(ask: Ask) -> Response:
    """GET /ecosystem/v1/islands/{code}/metrics[/{interval}]."""
    interval = ask.request.path_params.get("interval")
    wanted = ask.request.query_params.getlist("metrics") if interval is not None else []
    unknown = [name for name in wanted if name not in _FIELDS]
    if unknown:
        return problems.invalid("metrics", f"unknown metrics: {', '.join(unknown)}")
    within = interval or "day"
    names = [
        name
        for name in wanted or _FIELDS
        if within == "day" or name != _RETENTION
        if within != "minute" or name != _AVERAGE
    ]
    found = _series(ask, within, names)
    return found if isinstance(found, Response) else _told(ask, found)


def single(ask: Ask) -> Response:
    """GET /ecosystem/v1/islands/{code}/metrics/{interval}/{metric}."""
    interval, metric = ask.request.path_params["interval"], ask.request.path_params["metric"]
    name = _PATHS.get(metric)
    if name is None or (interval != "day" and name in (_RETENTION, _AVERAGE)):
        return problems.missing("metrics", metric)
    found = _series(ask, interval, [name])
    return found if isinstance(found, Response) else _told(ask, {"intervals": found[name]})


def _told(ask: Ask, body: Body) -> Response:
    code = ask.request.path_params["code"]
    return ask.service.answer_items(
        "metrics", [(code, body)], lambda shown: shown[0][1] if shown else {}
    )


def _series(ask: Ask, interval: str, names: Sequence[str]) -> Body | Response:
    """The series by name, or the error to answer with."""
    code, world = ask.request.path_params["code"], ask.service.world
    if interval not in _STEPS:
        return problems.invalid("metrics", f"the interval is one of {', '.join(_STEPS)}")
    key = None if code in world.archive else world.find(code, ask.now)
    known = code in world.archive or not (key is None or HIDDEN <= key < ADDED)
    if not known:
        return problems.missing("metrics", code)
    try:
        span = _range(ask.request.query_params, interval, ask.now)
    except ValueError as error:
        return problems.invalid("metrics", f"from and to must be instants in order: {error}")
    series: Body = {name: [] for name in names}
    for number in range(round((span.end - span.start) // span.step) + 1):
        start = span.start + number * span.step
        end = min(start + span.step, ask.now - _LAG)
        if start >= span.end or (end < start + span.step and interval != "day"):
            break
        day = _bucket(ask, key, interval, (start, end))
        for name in names:
            series[name].append(_value(day, name) | {"timestamp": text(start)})
    return series


def _bucket(ask: Ask, key: int | None, interval: str, span: tuple[float, float]) -> Day:
    """One bucket: as it was recorded, or as the play counts have it."""
    world, day = ask.service.world, int(span[0] // DAY)
    if key is None:
        recorded = world.archive[ask.request.path_params["code"]]
        return recorded.get(day, Day()) if interval == "day" else Day()
    found = world.day(key, day) if interval == "day" else None
    return found or buckets.compute(world, key, *span)


def _range(given: QueryParams, interval: str, now: float) -> _Range:
    """The buckets asked for. Raises ValueError where they cannot be had."""
    step = _STEPS[interval]
    until = instant(given["to"]) if "to" in given else now
    since = instant(given["from"]) if "from" in given else _back(interval, now)
    if since > until:
        raise ValueError(f"{text(since)} is after {text(until)}")
    oldest = now - now % DAY - _KEPT
    if since < oldest:
        raise ValueError(f"the from timestamp cannot be before {text(oldest)}")
    return _Range(since + -since % step, min(until, now), step)


def _back(interval: str, now: float) -> float:
    """Where it begins unless that is said: hours and minutes back, or with the day before."""
    start = now - _BACK[interval]
    return start - start % DAY if interval == "day" else start


def _value(day: Day, name: str) -> dict[str, int | float | None]:
    if name == _RETENTION:
        return {"d1": day.retention_d1, "d7": day.retention_d7}
    return {"value": getattr(day, _FIELDS[name])}
