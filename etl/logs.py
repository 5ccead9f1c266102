"""Logs: one shape for our own lines and the libraries', on standard error, secrets left out."""

import logging
import re
import sys
from typing import Any

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from etl.settings import Settings

MASK = "********"
# Names of values that are never shown. `key` alone is an entity's.
SECRET_NAME = re.compile(
    r"password|passwd|secret|token(?!s$|_life)|authorization|api_?key|credential|cookie",
    re.IGNORECASE,
)
SECRET_TEXT = (
    # scheme://user:password@host
    (re.compile(r"(?P<keep>\w+://[^\s/:@]*:)[^\s/@]+(?=@)"), rf"\g<keep>{MASK}"),
    # Authorization: Bearer abc, {"authorization": "Bearer abc"}
    (
        re.compile(
            r"(?P<keep>authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|apikey)\s+)?[^\s\"',}]+",
            re.IGNORECASE,
        ),
        rf"\g<keep>{MASK}",
    ),
    (
        re.compile(r"(?P<keep>\b(?:bearer|basic|apikey)\s+)[\w.~+/=-]{8,}", re.IGNORECASE),
        rf"\g<keep>{MASK}",
    ),
    # password=abc, "client_secret": "abc"
    (
        re.compile(
            r"(?P<keep>(?:password|secret|api_key|access_token|refresh_token)[\"']?\s*[:=]\s*[\"']?)"
            r"[^\s\"'&,}]+",
            re.IGNORECASE,
        ),
        rf"\g<keep>{MASK}",
    ),
)
# They tell of every request, or of each of their parts when they are loaded.
TALKATIVE = (
    "alembic",
    "asyncio",
    "elastic_transport",
    "hpack",
    "httpcore",
    "httpx",
    "procrastinate.blueprints",
)


def configure(settings: Settings) -> None:
    """Send every log line to standard error in the shape and from the severity of the settings on."""
    level = settings.log_level.upper()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                *shared[:-2],
                structlog.stdlib.ExtraAdder(),
                _said_once,
                *shared[-2:],
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for before in [each for each in root.handlers if isinstance(each, _StandardError)]:
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel("DEBUG" if level == "DEBUG" else "WARNING")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class _StandardError(logging.Handler):
    """Writes to what standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except (OSError, ValueError):
            self.handleError(record)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask what has the name of a secret, and secrets inside texts: URLs, headers, tracebacks."""
    return {name: _masked(name, value) for name, value in event.items()}


def _said_once(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop what uvicorn says a second time, in colours."""
    event.pop("color_message", None)
    return event


def _masked(name: str, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, SecretStr) or (value and SECRET_NAME.search(name)):
        return MASK
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _masked(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_masked("", each) for each in value]
    return value


def clean(text: str) -> str:
    """``text`` with the secrets inside it masked."""
    for pattern, instead in SECRET_TEXT:
        text = pattern.sub(instead, text)
    return text
