"""Discovery and Links as a test wants them, token and all, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.fernet import Fernet
from pydantic import SecretStr

from etl.settings import Settings
from tests.wire import Request, answer, serve

KEY = Fernet.generate_key().decode()


def pointed(settings: Settings, url: str, **more: object) -> Settings:
    """Options that ask the services at ``url``, fast and with credentials."""
    services = {
        "fortnite_data_url": url,
        "fortnite_links_url": url,
        "fortnite_discovery_url": url,
        "fortnite_pops_url": url,
        "fortnite_account_url": url,
        "fortnite_client_id": SecretStr("client"),
        "fortnite_client_secret": SecretStr("secret"),
        "token_key": SecretStr(KEY),
        "fortnite_data_per_second": 1000.0,
        "fortnite_links_per_minute": 60_000,
        "fortnite_entries_per_minute": 60_000,
        "fortnite_creators_per_minute": 60_000,
        "http_timeout": 2.0,
        "http_retries": 0,
    }
    return settings.model_copy(update=services | more)


@dataclass
class Fake:
    """What the services know and were asked.

    ``entries``: raw entry by code. ``creators``: pages of raw links by account. ``wrong``: gives
    the raw answer to a request, or None to answer as it should be. ``delay``: seconds that requests
    whose line holds ``delayed`` wait.
    """

    url: str = ""
    entries: dict[str, Any] = field(default_factory=dict)
    creators: dict[str, list[list[Any]]] = field(default_factory=dict)
    links: list[Any] = field(default_factory=list)
    wrong: Callable[[Request], bytes | None] = lambda _: None
    delay: float = 0
    delayed: str = ""
    asked: list[Request] = field(default_factory=list)

    def paths(self, part: str) -> list[str]:
        """Paths asked for that hold ``part``."""
        return [r.line.split()[1] for r in self.asked if part in r.line]

    async def handle(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.asked.append(request)
        if "oauth" in request.line:
            writer.write(answer(body=b'{"access_token": "t", "expires_in": 1000}'))
            return
        if self.delayed in request.line:
            await asyncio.sleep(self.delay)
        wrong = self.wrong(request)
        writer.write(answer(body=self._right(request)) if wrong is None else wrong)

    def _right(self, request: Request) -> bytes:
        url = urlsplit(request.line.split()[1])
        if url.path.endswith("link-entries"):
            codes = json.loads(request.body)["linkCodes"]
            return raw({code: self.entries[code] for code in codes if code in self.entries})
        if "/mnemonic" in url.path:
            return raw(self.links)
        account = unquote(url.path.rpartition("/")[2])
        pages = self.creators[account]
        nth = int(parse_qs(url.query).get("olderThan", ["0"])[0])
        more = nth + 1 < len(pages)
        return raw({"creatorId": account, "links": pages[nth], "hasMore": more})


def raw(content: object) -> bytes:
    """JSON as upstreams write it, NaN and half pairs included."""
    return json.dumps(content).encode()


def entry(ccu: object) -> dict[str, object]:
    """A link entry."""
    return {"linkCode": "x", "globalCCU": ccu, "isVisible": True}


def linked(code: object, ccu: object, activated: object = None) -> dict[str, object]:
    """A link on a creator's page; ``activated`` is what the next page is asked with."""
    return {"linkCode": code, "globalCCU": ccu, "lastActivatedDate": activated}


@asynccontextmanager
async def fake() -> AsyncIterator[Fake]:
    """Run one."""
    made = Fake()
    async with serve(made.handle) as server:
        made.url = server.url
        yield made
