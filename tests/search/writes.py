"""Writes as the pipelines make them, at random: all that can change a document of any index."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from etl.engine import timeseries
from etl.engine.database import Database
from etl.engine.items import Found, Missing
from etl.engine.landing import land
from etl.fortnite import performance, totals
from etl.fortnite.discovery import APPLY, arguments
from etl.fortnite.resources import CATALOGUE, CREATOR, ISLAND, PLAYER_PAGE
from etl.fortnite.store import store
from tests.data import recorded
from tests.fortnite.bodies import details, link, listed
from tests.fortnite.placing import CODES as PLACED
from tests.fortnite.placing import REGIONS, Stage

STEP = timedelta(minutes=10)
BEGAN = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
CODES = [code for code in PLACED if code[0].isdigit()]
"""The islands; discovery shows other things as well."""
ACCOUNTS = [f"maker-{n}" for n in range(6)]


class Writer:
    """Somebody who writes at random; ``turn`` is one write, as a worker of the pipeline makes it."""

    def __init__(self, db: Database, seed: int) -> None:
        self._db = db
        self._chance = random.Random(seed)
        self._stages = {region: Stage(self._chance) for region in REGIONS}
        self._at = BEGAN
        self._writes = (
            self._details, self._listing, self._gone, self._ccu, self._ccu, self._late,
            self._totals, self._creators, self._discovery, self._discovery,
        )  # fmt: skip

    async def turn(self) -> None:
        """One write; what it is, chance has it."""
        self._at += timedelta(seconds=1)
        await self._chance.choice(self._writes)()

    def _some(self) -> list[str]:
        return self._chance.sample(CODES, self._chance.randint(1, 12))

    async def _details(self) -> None:
        items: list[Found | Missing] = []
        for code in self._some():
            body = link("8530-0110-2817") | {
                "mnemonic": code,
                "accountId": self._chance.choice(ACCOUNTS),
                "disabled": self._chance.random() < 0.1,
            }
            code_of = self._chance.choice((None, "alpha", "beta"))
            title = f"Island {self._chance.randint(0, 9)}"
            body["metadata"] = body["metadata"] | {"title": title, "supportCode": code_of}
            items.append(details(body))
        await land(self._db, ISLAND, items, self._at)

    async def _listing(self) -> None:
        items = [
            listed(code, title=f"Listed {self._chance.randint(0, 9)}", tags=["fun"])
            for code in self._some()
        ]
        await land(self._db, CATALOGUE, items, self._at)

    async def _gone(self) -> None:
        items = [Missing(code, "unknown") for code in self._some()[:3]]
        await land(self._db, ISLAND, items, self._at)

    async def _ccu(self) -> None:
        ts = BEGAN + STEP * self._chance.randint(4, 6)
        counts = {code: self._chance.choice((0, 1, 2, 100, 103, 5000)) for code in self._some()}
        await store(self._db, ts, "entries", counts)

    async def _late(self) -> None:
        counts = {code: self._chance.choice((0, 7, 104, 9000)) for code in self._some()}
        await store(self._db, BEGAN + STEP * self._chance.randint(0, 3), "entries", counts)

    async def _totals(self) -> None:
        await timeseries.refresh(self._db)
        await performance.compute(self._db, BEGAN + 6 * STEP)
        await self._db.execute("select fortnite.meet_creators()")
        await totals.count(self._db)

    async def _creators(self) -> None:
        account = self._chance.choice(ACCOUNTS)
        name = f"Maker {self._chance.randint(0, 9)}"
        match self._chance.choice(("page", "bulk", "gone", "followers")):
            case "page":
                body = _recorded("pops_page.json") | {"displayName": name, "bio": name * 2}
                await land(self._db, PLAYER_PAGE, [Found(account, orjson.dumps(body))], self._at)
            case "bulk":
                (body, *_) = _recorded("pops_page_bulk.json")["results"]
                body |= {"playerId": account, "displayName": name}
                await land(self._db, CREATOR, [Found(account, orjson.dumps(body))], self._at)
            case "gone":
                for resource in (CREATOR, PLAYER_PAGE):
                    await land(self._db, resource, [Missing(account, "left out")], self._at)
            case _:
                await self._db.execute(
                    "select fortnite.store_followers(%s, array[%s], array[%s::integer])",
                    (self._at, account, self._chance.randint(0, 99)),
                )

    async def _discovery(self) -> None:
        region = self._chance.choice(REGIONS)
        stage = self._stages[region]
        stage.turn()
        await self._db.fetch_one(APPLY, arguments(stage.read(region), self._at))


def _recorded(name: str) -> Any:  # whatever was recorded
    return orjson.loads(recorded(f"examples/{name}").read_bytes())
