"""The pops service (player overview pages): who a creator is, one by one or a hundred at a time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import quote

from etl.engine.database import Database
from etl.engine.errors import Refused
from etl.engine.http import Service, Upstream, open_upstream
from etl.engine.items import Found, Item, Missing
from etl.engine.oauth import Credentials, Tokens
from etl.fortnite.client import CREATORS_BUCKET, answered, read_listing
from etl.settings import Settings

MOST_ACCOUNTS = 100
"""Accounts asked for in one request of the bulk route, as many as its sister services take."""


class Pops:
    """The pops service. Build with :func:`open_pops`."""

    def __init__(self, upstream: Upstream, player: str | None) -> None:
        self._upstream = upstream
        self._params = {} if player is None else {"playerId": player}
        self.turn = upstream.reserve

    async def bulk(self, accounts: Sequence[str]) -> list[Item]:
        """Name and avatar of up to 100 creators, those the service leaves out as Missing.

        What an item that cannot be read does to the rest: see :func:`etl.fortnite.client.answered`.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.post; Transient too where the answer has
                no results.
        """
        answer = await self._upstream.post(
            "/page/v1", json={"playerIds": list(accounts)}, params=self._params, safe=True
        )
        _, listed = read_listing("an answer of the bulk route", answer, "results")
        return answered(accounts, listed, "playerId", "the bulk route leaves it out")

    async def page(self, account: str) -> Item:
        """The player page of a creator, as received; Missing where there is none.

        Raises:
            Transient, Refused, Unauthorized: as Upstream.get.
        """
        path = f"/page/v1/{quote(account, safe='')}"
        try:
            answer = await self._upstream.get(path, params=self._params)
        except Refused as error:
            if error.status != 404:
                raise
            return Missing(account, error.reason)
        return Found(account, answer.body)


@asynccontextmanager
async def open_pops(
    db: Database, settings: Settings, credentials: Credentials
) -> AsyncIterator[Pops]:
    """The pops service, closed at exit. Raises as open_links; also as Tokens.account_id."""
    service = Service(
        str(settings.fortnite_pops_url), CREATORS_BUCKET, settings.fortnite_creators_per_minute / 60
    )
    tokens = Tokens(db, settings, credentials)
    own = settings.fortnite_account_id
    player = own.get_secret_value() if own is not None else await tokens.account_id()
    async with open_upstream(db, settings, service, tokens) as upstream:
        yield Pops(upstream, player)
