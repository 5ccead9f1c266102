"""Looking over everything that the configured set-up needs."""

from collections.abc import Iterator

from etl.doctor.database import database
from etl.doctor.finding import Finding
from etl.doctor.machine import machine
from etl.doctor.options import options
from etl.doctor.outside import elasticsearch, upstream
from etl.settings import Settings


def findings(settings: Settings) -> Iterator[Finding]:
    """Check one thing after the other; changes nothing, raises nothing that a check can find."""
    yield Finding("settings", "ok", "every option has a value it can have")
    yield from options()
    yield from machine(settings)
    yield from database(settings)
    yield elasticsearch(settings)
    yield from upstream(settings)


__all__ = ["Finding", "findings"]
