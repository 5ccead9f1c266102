"""Looking into, and killing, the PostgreSQL of a test."""

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict

from etl import embedded
from etl.embedded.servers import Name
from etl.settings import Settings

POSTGRES: tuple[Name, ...] = ("postgres",)


def postmaster(settings: Settings) -> psutil.Process:
    lines = (settings.home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    return psutil.Process(int(lines[0]))


def port(settings: Settings) -> int:
    return int(str(conninfo_to_dict(embedded.database_url(settings))["port"]))


def one(settings: Settings, query: str) -> object:
    with psycopg.connect(embedded.database_url(settings), autocommit=True) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def kill(settings: Settings) -> None:
    process = postmaster(settings)
    process.kill()
    psutil.wait_procs([process], timeout=10)
