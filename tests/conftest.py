"""Real servers for every test: an embedded PostgreSQL and, if asked for, an embedded Elasticsearch.

ETL_TEST_POSTGRES_BIN picks another PostgreSQL build. ETL_TEST_HOME keeps the servers of that folder
running between runs, which saves their start; without it they live in a folder of the session's own
and end with it.
"""

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from elasticsearch import AsyncElasticsearch, Elasticsearch
from filelock import FileLock
from psycopg import sql
from pydantic import SecretStr

import etl.settings
from etl import embedded
from etl.settings import Settings

PREFIX = "headrace-test-"


def _roomy() -> str:
    """Where homes of servers are made: in memory where that has room and may run programs.

    A fresh database is a thousand files: on a disk that is most of what a test costs.
    """
    memory = "/dev/shm"
    if not os.access(memory, os.W_OK) or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return tempfile.gettempdir()
    return memory if shutil.disk_usage(memory).free > 8 * 2**30 else tempfile.gettempdir()


HOMES = _roomy()
OWN_HOME = pytest.StashKey[Path]()


def _pass_signals_on() -> None:
    """Let commands that tests start be told to end, though a run in the background or under nohup is not.

    What is ignored here they would ignore, too; what is handled here they take as they are made to.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_configure(config: pytest.Config) -> None:
    """Forget the developer's own options before anything reads them; name the servers' home.

    All processes of a parallel run share one home, made and ended by the first of them.
    """
    _pass_signals_on()
    for name in list(os.environ):
        if name.upper().startswith("ETL_") and not name.startswith("ETL_TEST_"):
            del os.environ[name]
    if not os.environ.get("ETL_TEST_HOME"):
        _clear_after_killed_sessions()
        # Not below pytest's own temporary folder: it shuts that to other users again and again.
        home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=HOMES))
        (home / "session").write_text(str(os.getpid()))
        os.environ["ETL_TEST_HOME"] = str(home)
        config.stash[OWN_HOME] = home


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers of this session, but not those of a kept home."""
    home = config.stash.get(OWN_HOME, None)
    if home is not None:
        del os.environ["ETL_TEST_HOME"]
        embedded.down(server_settings(home))
        shutil.rmtree(home)


@pytest.fixture(autouse=True)
def _own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads a .env file of the folder it happens to run in."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    etl.settings.settings.cache_clear()


@pytest.fixture(scope="session")
def servers_home() -> Path:
    """The home of this session's servers."""
    return Path(os.environ["ETL_TEST_HOME"])


def _clear_after_killed_sessions() -> None:
    """Stop what a session left behind that could not end its servers itself."""
    for home in Path(HOMES).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if not psutil.pid_exists(int((home / "session").read_text())):
                embedded.down(server_settings(home))
                shutil.rmtree(home)


def server_settings(home: Path) -> Settings:
    """Options of the session's servers: quick, and small enough to run beside a browser."""
    chosen = os.environ.get("ETL_TEST_POSTGRES_BIN")
    return Settings(
        home=home,
        postgres_bin=Path(chosen) if chosen else None,
        postgres_fsync=False,
        elasticsearch_heap="512m",
        elasticsearch_java_options="-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC",
    )


@pytest.fixture(scope="session")
def postgres_url(servers_home: Path) -> str:
    """URL of the session's PostgreSQL as superuser."""
    options = server_settings(servers_home)
    embedded.up(options, ("postgres",))
    return embedded.database_url(options)


@pytest.fixture(scope="session")
def elasticsearch_url(servers_home: Path) -> str:
    """URL of the session's Elasticsearch, started by the first test that asks for it."""
    options = server_settings(servers_home)
    embedded.up(options, ("elasticsearch",))
    url = embedded.elasticsearch_url(options)
    chosen = {
        # It looks at its disk and lifts the block of a full one: a test that sets one lifts it.
        "cluster.info.update.interval": "1d",
        # Its plain collector leaves garbage for long, which would be refused as memory in use.
        "indices.breaker.total.limit": "100%",
    }
    with Elasticsearch(url) as client:
        client.cluster.put_settings(persistent=chosen)
    return url


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """Name of a database that has been migrated and that nobody is connected to."""
    from etl.engine.migrate import migrate  # noqa: PLC0415

    name = f"template_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url = with_database(postgres_url, name)
        migrate(url, Settings(database_url=SecretStr(url)))
        # Background workers of an extension stay away from a database that takes no connections.
        admin.execute(
            sql.SQL("alter database {} allow_connections false").format(sql.Identifier(name))
        )
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
        )
    yield name
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        drop(admin, name)


@pytest.fixture
def database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """URL of a fresh, migrated database of the test's own, as its owner."""
    with copy_of(template_database, postgres_url) as url:
        yield url


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """An autocommit connection to the test's database, as its owner."""
    async with await psycopg.AsyncConnection.connect(
        database_url, autocommit=True, options="-c timezone=UTC"
    ) as connection:
        yield connection


@pytest.fixture
def search_prefix() -> str:
    """What the names of the test's indices begin with."""
    return f"test-{secrets.token_hex(6)}-"


@pytest.fixture
def settings(
    request: pytest.FixtureRequest, servers_home: Path, database_url: str, search_prefix: str
) -> Settings:
    """Options of the test: its own database and index names; Elasticsearch if the test uses it."""
    uses_search = {"elasticsearch", "elasticsearch_url"} & set(request.fixturenames)
    return Settings(
        home=servers_home,
        database_url=SecretStr(database_url),
        elasticsearch_url=SecretStr(request.getfixturevalue("elasticsearch_url"))
        if uses_search
        else None,
        search_prefix=search_prefix,
    )


@pytest.fixture
async def elasticsearch(
    elasticsearch_url: str, search_prefix: str
) -> AsyncIterator[AsyncElasticsearch]:
    """A client of Elasticsearch; the test's indices are deleted after it."""
    async with AsyncElasticsearch(elasticsearch_url) as client:
        yield client
        found = await client.indices.get(index=f"{search_prefix}*", expand_wildcards="all")
        if found:
            await client.indices.delete(index=",".join(found))


@pytest.fixture
def analyst_password(
    servers_home: Path, postgres_url: str, template_database: str
) -> Iterator[str]:
    """A password that etl_analyst may log in with during the test.

    The role is the server's, which other tests share: one of them has it at a time. It was made
    with the template, by whichever process migrated first.
    """
    password = secrets.token_urlsafe()
    role = sql.Identifier("etl_analyst")
    with (
        FileLock(servers_home / "analyst.lock"),
        psycopg.connect(postgres_url, autocommit=True) as admin,
    ):
        admin.execute(
            sql.SQL("alter role {} login password {}").format(role, sql.Literal(password))
        )
        yield password
        admin.execute(sql.SQL("alter role {} nologin password null").format(role))


def with_database(url: str, name: str) -> str:
    """``url`` with another database in its path."""
    return f"{url.rpartition('/')[0]}/{name}"


@contextmanager
def copy_of(template: str, postgres_url: str) -> Iterator[str]:
    """URL of a database made from a template, as its owner; dropped with the context."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    yield with_database(postgres_url, name)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        drop(admin, name)


def drop(admin: psycopg.Connection, name: str) -> None:
    """Drop a database whoever is connected to it."""
    admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
