"""The database: reachable, recent enough, migrated, on the right foundation, with the right time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from etl import embedded
from etl.doctor.finding import Finding
from etl.embedded.postgres_build import OLDEST
from etl.embedded.state import public_url
from etl.engine.migrate import status
from etl.engine.schema import Status
from etl.engine.standing import is_too_old
from etl.errors import PlainError
from etl.logs import clean
from etl.settings import Settings

SECONDS = 5
SKEW_WARNING = timedelta(seconds=2)
SKEW_FAILED = timedelta(seconds=30)
QUERY = """
select
    current_setting('server_version') as version,
    current_setting('server_version_num')::int / 10000 as major,
    current_setting('timescaledb.license', true) as license,
    extension.default_version as offered,
    extension.installed_version as installed,
    clock_timestamp() as clock
from (select) as always
left join pg_catalog.pg_available_extensions as extension on extension.name = 'timescaledb'
"""


def database(settings: Settings) -> Iterator[Finding]:
    """Check the database; where it cannot be reached, that alone."""
    try:
        url = embedded.database_url(settings)
        with psycopg.connect(url, connect_timeout=SECONDS, row_factory=dict_row) as conn:
            before = datetime.now(UTC)
            row = conn.execute(QUERY).fetchone()
            local = before + (datetime.now(UTC) - before) / 2
        standing = status(url)
    except (psycopg.Error, PlainError) as error:
        advice = "Start it: `etl up`." if settings.database_url is None else "See ETL_DATABASE_URL."
        yield Finding("PostgreSQL", "failed", clean(str(error).strip()), advice)
        return
    if row is not None:
        yield _version(row, url)
        yield _clock(row["clock"] - local)
        yield _migrations(standing)
        yield _timeseries(row, standing, settings)


def _version(row: dict[str, Any], url: str) -> Finding:
    says = f"version {row['version'].split()[0]} at {public_url(url)}"
    if row["major"] < OLDEST:
        return Finding("PostgreSQL", "failed", says, f"Upgrade it to {OLDEST} or newer.")
    return Finding("PostgreSQL", "ok", says)


def _clock(skew: timedelta) -> Finding:
    size = abs(skew)
    way = "ahead of" if skew > timedelta() else "behind"
    if size < SKEW_WARNING:
        return Finding("clock", "ok", "this machine and PostgreSQL agree")
    says = f"PostgreSQL is {size.total_seconds():.1f} s {way} this machine"
    advice = (
        "Set both clocks by NTP: samples and leases go by PostgreSQL's, but the schedule, the days "
        "that partitions are made for and retention go by that of the worker."
    )
    return Finding("clock", "failed" if size > SKEW_FAILED else "warning", says, advice)


def _migrations(standing: Status) -> Finding:
    if standing.newer:
        says = f"the database was migrated by version {standing.version}, which is later"
        return Finding("migrations", "failed", says, "Install that version of Headrace.")
    if standing.revision is None:
        return Finding("migrations", "failed", "the database is empty", "Run `etl migrate`.")
    if not standing.current:
        missing = ", ".join((*standing.pending, *(f"sql/{file}" for file in standing.changed)))
        return Finding("migrations", "failed", f"not applied: {missing}", "Run `etl migrate`.")
    return Finding("migrations", "ok", f"at {standing.revision}, nothing to apply")


def _timeseries(row: dict[str, Any], standing: Status, settings: Settings) -> Finding:
    """The foundation there is, or the one that the first migrate would take."""
    name = "time series"
    version = row["installed"] or row["offered"]
    community = row["license"] == "timescale"
    asked = standing.foundation or settings.timeseries
    if asked == "plain" or (asked == "auto" and not (version and community)):
        why = "; the TimescaleDB there is the Apache edition" if version and not community else ""
        return Finding(name, "ok", f"on plain PostgreSQL{why}")
    if version is None:
        advice = (
            "Use a server that has it, or set ETL_TIMESERIES to plain and start a new database."
        )
        return Finding(name, "failed", "the server does not offer TimescaleDB", advice)
    says = f"TimescaleDB {version}, licence {row['license'] or 'unknown: it is not loaded'}"
    if not community:
        advice = "Put timescaledb into shared_preload_libraries, timescaledb.license = 'timescale'."
        return Finding(name, "failed", says, advice)
    if is_too_old(version):
        return Finding(name, "failed", says, "Upgrade TimescaleDB to 2.20 or newer.")
    return Finding(name, "ok", says)
