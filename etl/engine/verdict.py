"""What an answer other than 2xx means for whoever asked."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from etl.engine.errors import Refused, Transient, Unauthorized
from etl.engine.wire import Answer

CLOSED_S = 30.0
"""How long a 429 that does not say for how long keeps everyone away."""
CLOSED_MOST_S = 86_400.0
"""Longest time one answer can keep everyone away."""


def closure(answer: Answer) -> float | None:
    """Seconds for which an answer asks everyone to keep away; None where it does not."""
    asked = retry_after(answer.headers)
    if answer.status == 429:
        return CLOSED_S if asked is None else asked
    return asked if answer.status >= 500 else None


def refusal(where: str, answer: Answer) -> Transient | Refused:
    """The error that an answer other than 2xx stands for; ``where`` names the request."""
    code = _code(answer.body)
    reason = f"{where} answered {answer.status}" + (f" ({code})" if code else "")
    if answer.status >= 500 or answer.status in (408, 425, 429):
        return Transient(reason)
    if answer.status == 401:
        return Unauthorized(reason)
    if answer.status < 400:
        host = _host(answer.headers.get("Location", ""))
        return Refused(answer.status, f"{reason}: a redirect to {host}, which is not followed")
    return Refused(answer.status, reason, code)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a Retry-After asks for, from 1 to a day; None where there is none to be understood.

    A date is measured against the answer's own Date, so that no clock of ours matters.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        seconds = float(value)
    elif (until := _date(value)) is not None:
        now = _date(headers.get("Date", "")) or datetime.now(UTC)
        seconds = (until - now).total_seconds()
    else:
        return None
    return min(max(seconds, 1.0), CLOSED_MOST_S)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter for a year of many digits
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _host(location: str) -> str:
    try:
        return urlsplit(location).hostname or "the same host"
    except ValueError:
        return "what is no address"


class _Problem(msgspec.Struct, rename={"code": "errorCode"}):
    code: str


def _code(content: bytes) -> str | None:
    """The error code of an Epic-style body. Anything else there may quote what we sent."""
    try:
        code = msgspec.json.decode(content, type=_Problem).code
    except (ValueError, RecursionError):
        return None
    return code if re.fullmatch(r"errors(\.[a-z0-9_-]{1,60}){1,9}", code) else None
