"""One made-up world for the folder: 3,000 islands, clock stopped, no limits; each test leaves it clean."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest_asyncio

from etl.simulator.process import Running, settings_for, start

NOW = "2026-11-01T18:00:00Z"
UNLIMITED: dict[str, float | None] = dict.fromkeys(("data", "links", "entries", "creators"))


class Client:
    """What a pipeline asks of the simulated services."""

    def __init__(self, running: Running, http: httpx.AsyncClient) -> None:
        self.sim = running
        self.http = http
        self.bearer = ""

    async def get(self, path: str, **params: str | int) -> httpx.Response:
        return await self.http.get(path, params=params or None, headers=self._headers())

    async def islands(self, **params: str | int) -> dict[str, Any]:
        page: dict[str, Any] = (await self.get("/ecosystem/v1/islands", **params)).json()
        return page

    async def codes(self, count: int = 100) -> list[str]:
        return [island["code"] for island in (await self.islands(size=count))["data"]]

    async def links(self, *codes: str, failures: str = "true") -> httpx.Response:
        wanted = [{"mnemonic": code, "type": "", "filter": False, "v": ""} for code in codes]
        path = f"/links/api/fn/mnemonic?ignoreFailures={failures}"
        return await self.http.post(path, json=wanted, headers=self._headers())

    async def entries(self, *codes: str) -> httpx.Response:
        path = "/api/v2/discovery/link-entries"
        return await self.http.post(path, json={"linkCodes": codes}, headers=self._headers())

    async def creator(self, account: str, **params: str | int) -> httpx.Response:
        return await self.get(f"/api/v1/creator/page/{account}", **params)

    async def players(self, *accounts: str, **params: str) -> httpx.Response:
        body = {"playerIds": accounts}
        headers = self._headers()
        return await self.http.post("/page/v1", json=body, params=params, headers=headers)

    async def token(self, client_secret: str | None = None, **form: str) -> httpx.Response:
        own = settings_for(self.sim.url)
        auth = (own["ETL_FORTNITE_CLIENT_ID"], client_secret or own["ETL_FORTNITE_CLIENT_SECRET"])
        return await self.http.post("/account/api/oauth/token", auth=auth, data=form)

    async def log_in(self) -> None:
        self.bearer = (await self.token(grant_type="client_credentials")).json()["access_token"]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}


@asynccontextmanager
async def open_client(running: Running) -> AsyncIterator[Client]:
    """A client with a token."""
    async with httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=30) as http:
        opened = Client(running, http)
        await opened.log_in()
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world() -> AsyncIterator[Running]:
    async with start(islands=3000, seed=7, now=NOW, speed=0, limit=UNLIMITED) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def client(world: Running) -> AsyncIterator[Client]:
    async with open_client(world) as opened:
        yield opened
    await world.clear_faults()
    await world.clock(NOW, 0)
    await world.limits(**UNLIMITED)
