"""Answers of the Data API taken apart: recorded ones whole, bad ones as far as they can be read."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from etl.engine.errors import Transient
from etl.fortnite.metrics_api import INTERVALS, parse
from tests.data import recorded
from tests.fortnite.metric_rows import COLUMNS, NAMES, at

NOW = at("2026-09-22 18:00")


def body(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(recorded(f"data-api/{name}").read_bytes())
    return found


def told(series: dict[str, Any]) -> dict[tuple[datetime, str], Any]:
    """What an answer says, read independently: by bucket and column."""
    said: dict[tuple[datetime, str], Any] = {}
    for name, entries in series.items():
        for entry in entries:
            ts = datetime.fromisoformat(entry["timestamp"])
            if name == "retention":
                said |= {(ts, f"retention_{key}"): entry[key] for key in ("d1", "d7")}
            else:
                said[ts, NAMES[name]] = entry["value"]
    return said


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("island-0925-4822-4538-metrics-day.json", NOW),
        ("island-metrics-day-large-with-partial-today.json", at("2026-09-07 12:00")),
    ],
)
def test_a_recorded_answer_is_read_whole(name: str, now: datetime) -> None:
    series = body(name)
    answered = parse(json.dumps(series).encode(), "day", now)
    assert (answered.trouble, answered.body) == (None, None)
    assert all(bucket.whole and set(bucket.said) == set(COLUMNS) for bucket in answered.buckets)
    found = {(b.ts, column): getattr(b, column) for b in answered.buckets for column in COLUMNS}
    assert found == told(series)


def test_metrics_that_are_absent_were_not_told() -> None:
    series = body("island-metrics-day-filtered-with-null.json")
    answered = parse(json.dumps(series).encode(), "day", at("2026-05-18 12:00"))
    found = {(b.ts, column): getattr(b, column) for b in answered.buckets for column in b.said}
    assert found == told(series)
    assert not any(bucket.whole for bucket in answered.buckets)
    assert answered.trouble is not None
    assert "it has no plays" in answered.trouble


def test_an_answer_without_retention_is_whole_and_does_not_deny_it() -> None:
    series = body("island-0925-4822-4538-metrics-day.json")
    del series["retention"]
    answered = parse(json.dumps(series).encode(), "day", NOW)
    assert answered.trouble is None
    assert all(b.whole and "retention_d1" not in b.said for b in answered.buckets)


@pytest.mark.parametrize("raw", [b"{}", b" [] ", b"{ }"])
def test_an_empty_answer_is_a_failure(raw: bytes) -> None:
    with pytest.raises(Transient):
        parse(raw, "day", NOW)


def test_an_answer_without_a_bucket_is_a_failure() -> None:
    series: dict[str, Any] = {name: [] for name in INTERVALS["day"].required}
    with pytest.raises(Transient, match="no bucket"):
        parse(json.dumps(series).encode(), "day", NOW)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"unexpected": [1, null, "shape"]}', "'unexpected'"),
        (b'["neither", "an", "island"]', "no object of metrics"),
        (b'{"peakCCU": [], "plays"', "no object of metrics"),
        (b'{"peakCCU": 3}', "peakCCU is no list"),
    ],
)
def test_something_else_is_set_aside(raw: bytes, reason: str) -> None:
    answered = parse(raw, "day", NOW)
    assert (answered.buckets, answered.body) == ([], raw)
    assert reason in str(answered.trouble)


Change = Callable[[dict[str, Any]], object]
WRONG: dict[str, tuple[Change, str]] = {
    "a word": (lambda e: e.update(value="many"), "Expected `int | float | null`"),
    "a fraction of a player": (lambda e: e.update(value=1.5), "1.5 is no count"),
    "below zero": (lambda e: e.update(value=-1), "-1 is no count"),
    "more than there are": (lambda e: e.update(value=2**31), "is no count"),
    "far too much": (lambda e: e.update(value=1e300), "is no count"),
    "not a number": (lambda e: e.update(value=float("nan")), "no valid JSON"),
    "no instant": (lambda e: e.update(timestamp="yesterday"), "Invalid RFC3339"),
    "no zone": (lambda e: e.update(timestamp="2026-09-21T00:00:00"), "timezone"),
    "another width": (lambda e: e.update(timestamp="2026-09-21T01:00:00Z"), "no start of 1440"),
    "to come": (lambda e: e.update(timestamp="2026-09-24T00:00:00Z"), "not of the last days"),
    "long ago": (lambda e: e.update(timestamp="2025-09-24T00:00:00Z"), "not of the last days"),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_bad_value_costs_nothing_but_itself(case: str) -> None:
    change, reason = WRONG[case]
    series = body("island-0925-4822-4538-metrics-day.json")
    wanted = told(series)
    change(series["peakCCU"][0])
    raw = json.dumps(series).encode()
    answered = parse(raw, "day", NOW)
    assert answered.body == raw
    assert reason in str(answered.trouble)
    found = {(b.ts, column): getattr(b, column) for b in answered.buckets for column in b.said}
    lost = (datetime(2026, 9, 21, tzinfo=UTC), "peak_ccu")
    assert found == {key: value for key, value in wanted.items() if key != lost}
    assert [bucket.whole for bucket in answered.buckets] == [False, True]


def test_whole_numbers_may_be_written_as_fractions() -> None:
    series = {
        name: [{"value": 3.0, "timestamp": "2026-09-22T17:00:00Z"}]
        for name in INTERVALS["hour"].required
    }
    (bucket,) = parse(json.dumps(series).encode(), "hour", NOW).buckets
    assert (bucket.minutes, bucket.plays, type(bucket.plays)) == (60, 3, int)
    assert bucket.whole
