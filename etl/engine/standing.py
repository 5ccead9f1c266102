"""What a database keeps its time series on, and whether TimescaleDB is to be had instead."""

from dataclasses import dataclass
from typing import Any

import psycopg

from etl.engine import staging
from etl.engine.schema import foundation

Connection = psycopg.Connection[Any]

OLDEST_TIMESCALE = (2, 20)

OFFERED = """
select
  coalesce(a.installed_version, a.default_version) as version,
  a.installed_version is not null as there,
  current_setting('timescaledb.license', true) as license,
  has_database_privilege(current_database(), 'create') as allowed
from pg_available_extensions as a
where a.name = 'timescaledb'
"""
HELD = """
select
  s.relation,
  sum(greatest(c.reltuples, 0))::bigint,
  sum(pg_total_relation_size(c.oid))::bigint
from engine.series as s
inner join pg_inherits as i on i.inhparent = s.store::regclass
inner join pg_class as c on i.inhrelid = c.oid
group by s.relation
order by s.relation
"""


@dataclass(frozen=True)
class Held:
    """A relation on plain partitions: about how many rows, and bytes with indexes."""

    relation: str
    rows: int
    size_bytes: int


@dataclass(frozen=True)
class Standing:
    """What a database keeps its time series on, and what stands against TimescaleDB; None where nothing does.

    ``version`` is the TimescaleDB that is offered, ``held`` what a move would move. ``begun``: a move was begun and has
    not ended.
    """

    foundation: str | None
    version: str | None
    missing: str | None
    begun: bool
    held: list[Held]


def standing(url: str) -> Standing:
    """How a database stands to TimescaleDB; changes nothing.

    Raises:
        psycopg.OperationalError: no connection could be made.
    """
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(OFFERED).fetchone()
        on = foundation(conn)
        held = conn.execute(HELD).fetchall() if on == "plain" else []
        return Standing(
            foundation=on,
            version=row[0] if row else None,
            missing=missing(conn),
            begun=staging.began(conn) is not None,
            held=[Held(*one) for one in held],
        )


def is_too_old(version: str) -> bool:
    """Whether a TimescaleDB lacks what the series need; ``version`` as its server has it: 2.25.1, 2.26.0-dev."""
    return (
        tuple(int(part) for part in version.split("-", maxsplit=1)[0].split(".")[:2])
        < OLDEST_TIMESCALE
    )


def missing(conn: Connection) -> str | None:
    """Why TimescaleDB Community is not to be had in this database; None where it is."""
    row = conn.execute(OFFERED).fetchone()
    if row is None:
        return "the server does not offer the extension timescaledb: install it there"
    version, there, licence, allowed = row
    if licence is None:
        return (
            "timescaledb is not loaded: add it to shared_preload_libraries and restart the server"
        )
    if licence != "timescale":
        return f"timescaledb.license is {licence}, which lacks continuous aggregates: set it to timescale"
    if is_too_old(version):
        return f"timescaledb {version} is too old: install 2.20 or newer"
    if not there and not allowed:
        return "this role may not create the extension timescaledb: have an administrator do it"
    return None
