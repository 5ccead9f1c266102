"""A page with 61 islands behind it, in a real Chromium: started once, each test with a profile of its own."""

import asyncio
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from elasticsearch import AsyncElasticsearch
from playwright.async_api import Browser, Page, async_playwright
from pydantic import SecretStr

from etl.embedded.process import free_port
from etl.engine.database import open_database
from etl.search import indices, sync
from etl.settings import Settings
from tests.conftest import copy_of
from tests.relay import Relay

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ISLANDS = """
insert into fortnite.island
  (code, source, first_seen_at, title, creator_name, tags, created_in, published_at)
select
  '1000-0000-' || lpad(n::text, 4, '0'), 'catalogue', now(),
  case when n <= 30 then 'Zone Wars ' || n else 'Quiet Island ' || n end,
  'maker' || mod(n, 5), case when mod(n, 2) = 0 then '{pvp,boxfight}' else '{calm}' end::text[],
  case when mod(n, 3) = 0 then 'FNC' else 'UEFN' end, now() - make_interval(days => n)
from generate_series(1, 60) as n;
"""
HOSTILE = """
insert into fortnite.island (code, source, first_seen_at, title)
values ('6666-6666-6666', 'catalogue', now(), '<img src=x onerror="document.title=1">')
"""
NOW = """
insert into fortnite.island_now
  (island_id, ts, recorded_at, since, ccu, marked_ccu, record_ccu)
select n.island_id, n.hour, n.hour, n.hour, n.ccu, n.ccu, n.ccu
from (
  select i.island_id, (3 ^ right(i.code, 4)::integer)::integer as ccu, date_trunc('hour', now()) as hour
  from fortnite.island as i
  where starts_with(i.title, 'Zone Wars') and right(i.code, 4)::integer <= 12
) as n
"""
METRICS = """
insert into fortnite.island_metric_state (island_id, watched_from, read_through, peak_on, peak_ccu)
select i.island_id, '2026-11-01', '2026-11-01', '2026-11-01', 1077
from fortnite.island as i
where i.title in ('Quiet Island 60', 'Zone Wars 12')
"""


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def relay(elasticsearch_url: str) -> AsyncIterator[Relay]:
    """A wire to Elasticsearch that can be cut; who cuts it mends it."""
    async with Relay.to(elasticsearch_url) as wire:
        yield wire


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def address(
    servers_home: Path,
    postgres_url: str,
    template_database: str,
    elasticsearch_url: str,
    relay: Relay,
) -> AsyncIterator[str]:
    """The page's address, with 61 islands behind it."""
    with copy_of(template_database, postgres_url) as url:
        options = Settings(
            home=servers_home,
            database_url=SecretStr(url),
            elasticsearch_url=SecretStr(relay.url),
            search_prefix=f"test-{secrets.token_hex(6)}-",
        )
        async with AsyncElasticsearch(elasticsearch_url) as elasticsearch:
            await _fill(url, elasticsearch, options)
            async with _served(options) as served:
                yield served
            found = await elasticsearch.indices.get(index=f"{options.search_prefix}*")
            await elasticsearch.indices.delete(index=",".join(found))


async def _fill(url: str, elasticsearch: AsyncElasticsearch, options: Settings) -> None:
    async with open_database(url, size=2) as db:
        for statement in (ISLANDS, HOSTILE, NOW, METRICS):
            await db.execute(statement)
        await db.execute("select search.mark('island', array_agg(code)) from fortnite.island")
        await indices.ensure(db, elasticsearch, options)
        await sync.sync(db, elasticsearch, options)
    await elasticsearch.indices.refresh(index=f"{options.search_prefix}island")


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium itself."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("no chromium on PATH: install Debian's package chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page of a fresh profile that fails the test on any error of its console."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    await context.close()
    assert faults == []


@asynccontextmanager
async def _served(settings: Settings) -> AsyncIterator[str]:
    """``etl web`` in a process of its own on a free port."""
    port = free_port(None)
    assert settings.elasticsearch_url is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "etl.cli", "web", "--port", str(port)),
        env={
            "ETL_HOME": str(settings.home),
            "ETL_ELASTICSEARCH_URL": settings.elasticsearch_url.get_secret_value(),
            "ETL_SEARCH_PREFIX": settings.search_prefix,
        },
        cwd=Path(__file__).parents[2],
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await _answers(client, f"{url}health", process)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 15)


async def _answers(
    client: httpx.AsyncClient, url: str, process: asyncio.subprocess.Process
) -> None:
    async with asyncio.timeout(30):
        while process.returncode is None:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    pytest.fail(f"etl web ended with code {process.returncode} before it answered")
