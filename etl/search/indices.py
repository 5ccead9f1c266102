"""The physical indices behind each alias: made, filled, put in the place of an older one, dropped."""

from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog
from elasticsearch import AsyncElasticsearch, BadRequestError

from etl.engine.database import Database
from etl.search.client import explained
from etl.settings import Settings

log = structlog.get_logger(__name__)

MAPPINGS = Path(__file__).parent / "mappings"
INDICES = tuple(sorted(path.stem for path in MAPPINGS.glob("*.json")))
"""Names of all indices: one mapping file and one view search.<name>_document each."""

FILL = 5000
"""Documents marked in one transaction when an index wants all of them."""


@dataclass(frozen=True)
class Target:
    """A physical index as search.target has it."""

    physical: str
    state: str
    to_fill: bool


def alias(index: str, settings: Settings) -> str:
    """The name under which ``index`` is searched."""
    return f"{settings.search_prefix}{index}"


def write_alias(physical: str) -> str:
    """The name under which ``physical`` is written.

    Bulk requests insist on an alias, so that a server that makes indices by itself cannot make up
    one, without our mapping, in the place of an index that was lost.
    """
    return f"{physical}-write"


async def ensure(db: Database, es: AsyncElasticsearch, settings: Settings) -> None:
    """Bring Elasticsearch's indices to what this code and database want; see :func:`ensure_one`."""
    for index in INDICES:
        await ensure_one(db, es, settings, index)


async def ensure_one(db: Database, es: AsyncElasticsearch, settings: Settings, index: str) -> None:
    """Make what ``index`` lacks: its physical index, the alias, and a mark for every document.

    An index that Elasticsearch lost is made again and filled. One for another mapping, settings
    or view is built beside the live one, which :func:`promote` replaces once the sync has filled
    it. May run in many processes at once and die anywhere; the next call goes on.

    Raises:
        SearchUnavailable: Elasticsearch is away; nothing is lost.
    """
    name = alias(index, settings)
    present = await _present(es, name)
    for target in await _targets(db, index, name):
        if target.state == "retired":
            continue
        if target.physical not in present:
            await _make(db, es, index, name, target)
        elif target.state == "live" and name not in present[target.physical]:
            await _point(es, name, target.physical)
        await _fill(db, index, target.physical)
    await _drop_retired(db, es, settings, index, present)


async def promote(db: Database, es: AsyncElasticsearch, settings: Settings, index: str) -> bool:
    """Let the index being built take the live one's place once all of it was sent and counts agree.

    Counts that disagree by more than is pending or refused have it built once more. The database
    decides first and the alias follows, here or in the next :func:`ensure_one`.
    """
    rows = await db.fetch("select * from search.promotable(%s)", (index,))
    if not rows:
        return False
    physical, documents, pending, rejected = rows[0].values()
    with explained(f"counting {physical}"):
        await es.indices.refresh(index=physical)
        count = int((await es.count(index=physical))["count"])
    if not documents - pending - rejected <= count <= documents + pending:
        log.warning(
            "index does not agree with its view, building another",
            index=physical, has=count, wants=documents, pending=pending, rejected=rejected,
        )  # fmt: skip
        await db.execute(
            "update search.target set content_hash = 'stale' where index = %s and physical = %s",
            (index, physical),
        )
        return False
    row = await db.fetch_one("select search.promote(%s, %s) as done", (index, physical))
    if row["done"]:
        await _point(es, alias(index, settings), physical)
        log.info("index is live", index=physical, documents=count)
    return bool(row["done"])


async def _targets(db: Database, index: str, name: str) -> list[Target]:
    rows = await db.fetch(
        "select t.physical, t.state, t.fill_after is not null as to_fill"
        " from search.register(%s, %s, search.content_hash(%s, %s)) as t",
        (index, name, index, name + _definition(index).decode()),
    )
    return [Target(**row) for row in rows]


def _definition(index: str) -> bytes:
    return (MAPPINGS / f"{index}.json").read_bytes()


async def _present(es: AsyncElasticsearch, name: str) -> dict[str, set[str]]:
    """The physical indices of an alias that Elasticsearch has, with the aliases of each."""
    with explained(f"looking for indices of {name}"):
        found = await es.indices.get_alias(index=f"{name}-*", allow_no_indices=True)
    return {physical: set(about["aliases"]) for physical, about in found.body.items()}


async def _make(
    db: Database, es: AsyncElasticsearch, index: str, name: str, target: Target
) -> None:
    """Create a physical index that is registered but not there: it is new, or its data was lost."""
    await db.execute("select search.refill(%s, %s)", (index, target.physical))
    aliases: dict[str, dict[str, bool]] = {write_alias(target.physical): {"is_write_index": True}}
    if target.state == "live":
        aliases[name] = {}
    with explained(f"creating {target.physical}"):
        try:
            await es.indices.create(
                index=target.physical, aliases=aliases, **orjson.loads(_definition(index))
            )
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
    log.info("index created", index=target.physical, state=target.state)
    if target.state == "live":
        await _point(es, name, target.physical)


async def _point(es: AsyncElasticsearch, name: str, physical: str) -> None:
    """Let the alias name this physical index and no other, in one step."""
    with explained(f"pointing {name} at {physical}"):
        await es.indices.update_aliases(
            actions=[
                {"remove": {"index": f"{name}-*", "alias": name, "must_exist": False}},
                {"add": {"index": physical, "alias": name}},
            ]
        )


async def _fill(db: Database, index: str, physical: str) -> None:
    """Mark every document an index still wants, a bounded number a transaction."""
    while (await db.fetch_one("select search.fill(%s, %s, %s) as n", (index, physical, FILL)))["n"]:
        pass


async def _drop_retired(
    db: Database,
    es: AsyncElasticsearch,
    settings: Settings,
    index: str,
    present: dict[str, set[str]],
) -> None:
    """Delete indices retired longer than a lease ago: no bulk request to them is on its way."""
    rows = await db.fetch(
        "select physical from search.target where index = %s and state = 'retired'"
        " and retired_at < clock_timestamp() - make_interval(secs => %s)",
        (index, settings.search_lease),
    )
    for physical in (row["physical"] for row in rows):
        if physical in present:
            with explained(f"deleting {physical}"):
                await es.options(ignore_status=404).indices.delete(index=physical)
            log.info("index deleted", index=physical)
        await db.execute(
            "delete from search.target where index = %s and physical = %s and state = 'retired'",
            (index, physical),
        )
