"""The simulated world as it is, asked directly, and a pipeline's database held against it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from etl.engine.database import Database
from etl.settings import Settings
from etl.simulator.process import Running, settings_for
from tests.simulator.conftest import open_client

NOW = "2026-11-01T18:00:00Z"
TS = datetime(2026, 11, 1, 18, 0, tzinfo=UTC)
"""The cycle that tests sample: the instant at which the simulated clock stands still."""

TOKEN_KEY = "XsnV2BzVTEwzT1R5Ry0hQJTMtIH0tTQ9hhBqLS7wzhE="
PAGE = 100
"""Islands on a page of the catalogue, as in a lookup of details."""


@dataclass
class Truth:
    """What the services say when nothing is wrong: bodies and play counts by code."""

    listed: dict[str, Any] = field(default_factory=dict)
    links: dict[str, Any] = field(default_factory=dict)
    reported: dict[str, int | None] = field(default_factory=dict)

    @property
    def samples(self) -> dict[str, int]:
        """Counts that are samples."""
        return {code: n for code, n in self.reported.items() if n is not None and n >= 0}


def pointed(settings: Settings, url: str, **more: object) -> Settings:
    """Options that ask the simulator at ``url``, as fast as it goes."""
    services = {
        name.removeprefix("ETL_").lower(): value for name, value in settings_for(url).items()
    }
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    fast = {
        "token_key": SecretStr(TOKEN_KEY),
        "fortnite_data_per_second": 1000.0,
        "fortnite_links_per_minute": 60_000,
        "fortnite_entries_per_minute": 60_000,
        "fortnite_creators_per_minute": 60_000,
        "fortnite_surfaces_per_minute": 60_000,
        "fortnite_regions": ("EU",),
        "fortnite_ccu_top": 200,
    }
    return Settings.model_validate(given | services | fast | more)


async def ask(sim: Running) -> Truth:
    """Ask every service for everything."""
    truth = Truth()
    async with open_client(sim) as client:
        after: dict[str, str | int] = {}
        while True:
            page = await client.islands(size=1000, **after)
            truth.listed |= {body["code"]: body for body in page["data"]}
            if page["meta"]["page"]["nextCursor"] is None:
                break
            after = {"after": page["meta"]["page"]["nextCursor"]}
        codes = [*truth.listed, *await sim.codes("hidden", 10_000)]
        for start in range(0, len(codes), PAGE):
            some = codes[start : start + PAGE]
            truth.links |= {body["mnemonic"]: body for body in (await client.links(*some)).json()}
            entries = (await client.entries(*some)).json()
            truth.reported |= {code: entry["globalCCU"] for code, entry in entries.items()}
    return truth


def differences(found: dict[Any, Any], wanted: dict[Any, Any]) -> list[str]:
    """What differs, the first few; pytest's own comparison of thousands takes minutes."""
    keys = sorted(found.keys() | wanted.keys(), key=str)
    wrong = [key for key in keys if key not in found or found.get(key) != wanted.get(key)]
    told = [
        f"{key}: {found.get(key)!s:.1500} instead of {wanted.get(key)!s:.1500}" for key in wrong
    ]
    return [*told[:3], *([f"and {len(told) - 3} more"] if len(told) > 3 else [])]


async def bodies(db: Database, resource: str) -> dict[str, Any]:
    """The latest body of each entity; None where it is gone."""
    rows = await db.fetch(
        "select distinct on (key) key, body from raw.document where resource = %s "
        "order by key, version desc",
        (resource,),
    )
    return {row["key"]: row["body"] for row in rows}


COLUMNS = (
    "title", "tagline", "creator_account_id", "creator_name", "tags", "version", "activated_at",
    "max_players", "discovery_intent", "gone_at",
)  # fmt: skip


async def columns(db: Database) -> dict[str, Any]:
    """Typed columns of islands with details."""
    rows = await db.fetch("select * from fortnite.island where detailed_at is not null")
    return {row["code"]: tuple(row[name] for name in COLUMNS) for row in rows}


def typed(link: dict[str, Any]) -> tuple[object, ...]:
    """What those columns should be, read out of a body independently."""
    about = link["metadata"]
    return (
        about["title"], about["tagline"], link["accountId"], link["creatorName"],
        link["descriptionTags"], link["version"],
        datetime.fromisoformat(link["lastActivatedDate"]), about["matchmakingV2"]["maxPlayers"],
        link["discoveryIntent"], None,
    )  # fmt: skip


async def samples(db: Database, ts: datetime = TS) -> dict[str, int]:
    """The samples of a cycle."""
    rows = await db.fetch(
        "select i.code, c.ccu from fortnite.ccu as c "
        "join fortnite.island as i using (island_id) where c.ts = %s",
        (ts,),
    )
    return {row["code"]: row["ccu"] for row in rows}


async def wrong_in(db: Database, truth: Truth, *but: str) -> dict[str, list[str]]:
    """What of catalogue, details and typed rows is not as the world is; ``but`` these codes."""
    listed = {code: body for code, body in truth.listed.items() if code not in but}
    links = {code: body for code, body in truth.links.items() if code not in but}
    wanted = {
        "catalogue": (await bodies(db, "fortnite.catalogue"), listed),
        "details": (await bodies(db, "fortnite.island"), links),
        "columns": (await columns(db), {code: typed(body) for code, body in links.items()}),
    }
    found = {
        what: differences({k: v for k, v in there.items() if k not in but}, should)
        for what, (there, should) in wanted.items()
    }
    return {what: told for what, told in found.items() if told}


async def time_passes(db: Database) -> None:
    """Let what waits for its time be due, and what was closed for a time be open."""
    await db.execute("update engine.crawl set due_at = now() where due_at < 'infinity'")
    await db.execute("update engine.throttle set closed_until = '-infinity'")
    await db.execute("update engine.token set refreshing_until = '-infinity'")
