"""The physical indices behind each alias: made, filled, put in the place of an older one, dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog
from elasticsearch import AsyncElasticsearch, BadRequestError

from etl.engine.database import Database
from etl.search.client import explained
from etl.search.compare import sample
from etl.settings import Settings

log = structlog.get_logger(__name__)

MAPPINGS = Path(__file__).parent / "mappings"
INDICES = tuple(sorted(path.stem for path in MAPPINGS.glob("*.json")))
"""Names of all indices: one mapping file and one view search.<name>_document each."""

FILLING = {"refresh_interval": "-1", "number_of_replicas": 0, "auto_expand_replicas": False}
"""Settings of an index nobody reads yet. Its translog stays safe: slices and marks rely on what it took."""

COMPARED = {name: {"type": "long", "index": False} for name in ("bucket", "digest")}
"""Fields of every document that search.read adds; no part of what readers get of it."""

TRIES = 3
"""Times an index that is full is held against its view before what differs is sent to it again."""


@dataclass(frozen=True)
class Target:
    """A physical index as search.target has it."""

    physical: str
    state: str


@dataclass(frozen=True)
class Full:
    """An index that has been sent everything, and what its count has to agree with."""

    physical: str
    documents: int
    pending: int
    rejected: int


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
    """Make what ``index`` lacks: its physical index and the alias; drop what was kept long enough.

    An index that Elasticsearch lost is made again, empty, unless readers have another. One for
    another mapping, settings or view is made beside the live one. :func:`etl.search.fill.fill`
    fills either, :func:`promote` puts the new one in the other's place. May run in many processes
    at once and die anywhere; the next call goes on.

    Raises:
        SearchUnavailable: Elasticsearch is away; nothing is lost.
    """
    name = alias(index, settings)
    present = await _present(es, name)
    targets = await _targets(db, index, name)
    if _live(targets) not in present and _searched(present, name):
        # Looked at again: it may have been made, or another adopted, since.
        present = await _present(es, name)
        await _adopt(db, index, name, _live(targets), present)
        targets = await _targets(db, index, name)
    searched = _searched(present, name)
    for target in targets:
        if target.state == "retired":
            continue
        if target.physical not in present:
            await _make(db, es, index, name, target)
        # Of no other either: one that was restored from a snapshot comes back with its aliases.
        elif target.state == "live" and searched != {target.physical}:
            await _point(es, name, target.physical)
    await _drop_retired(db, es, settings, index, present)


async def _adopt(
    db: Database, index: str, name: str, live: str | None, present: dict[str, set[str]]
) -> None:
    """Keep readers on what they search when the live index is lost: a restored database may not know it.

    Only what was made here, and alone, is adopted; it is built again beside it.
    """
    searched = _searched(present, name)
    (found,) = searched if len(searched) == 1 else (None,)
    if live is None or live in present or found is None:
        return
    if write_alias(found) in present[found]:
        row = await db.fetch_one("select search.adopt(%s, %s, %s) as done", (index, live, found))
        if row["done"]:
            log.warning("live index is lost: readers stay on another", lost=live, index=found)


def _live(targets: Sequence[Target]) -> str | None:
    return next((target.physical for target in targets if target.state == "live"), None)


def _searched(present: Mapping[str, set[str]], name: str) -> set[str]:
    """The physical indices that the alias names."""
    return {physical for physical, aliases in present.items() if name in aliases}


async def promote(db: Database, es: AsyncElasticsearch, settings: Settings, index: str) -> bool:
    """Let the index being built take the live one's place once it is full and holds what the view has.

    Its count and some of its documents are compared with the view; of one that does not agree, what
    differs is sent again first. The database decides and the alias follows, here or in the next
    :func:`ensure_one`.
    """
    for _ in range(TRIES):
        rows = await db.fetch("select * from search.promotable(%s)", (index,))
        if not rows:
            return False
        full = Full(**rows[0])
        await _open_to_readers(es, index, full.physical)
        if await _agrees(db, es, index, full):
            row = await db.fetch_one(
                "select search.promote(%s, %s) as done", (index, full.physical)
            )
            if row["done"]:
                await _point(es, alias(index, settings), full.physical)
                log.info("index is live", index=full.physical, documents=full.documents)
            return bool(row["done"])
    await db.execute(
        "update search.target set catch_up = true where index = %s and physical = %s"
        " and state = 'building'",
        (index, full.physical),
    )
    return False


async def _agrees(db: Database, es: AsyncElasticsearch, index: str, full: Full) -> bool:
    """Whether an index has as many documents as its view, and a sample of them as they are there.

    What is pending or refused may be missing or old. Between the two counts documents come and go:
    who asks tries again.
    """
    with explained(f"counting {full.physical}"):
        count = int((await es.count(index=full.physical))["count"])
    wrong = await sample(db, es, index, full.physical, full.documents)
    least = full.documents - full.pending - full.rejected
    if least <= count <= full.documents + full.pending and not wrong:
        return True
    log.warning("index does not agree with its view", has=count, wrong=wrong, **asdict(full))
    return False


async def _open_to_readers(es: AsyncElasticsearch, index: str, physical: str) -> None:
    """Give a filled index the settings readers want, its replicas, and a first refresh."""
    wanted = definition(index)["settings"]["index"]
    with explained(f"opening {physical}"):
        await es.indices.put_settings(
            index=physical, settings={name: wanted.get(name) for name in FILLING}
        )
        await es.indices.refresh(index=physical)
        await es.cluster.health(index=physical, wait_for_no_initializing_shards=True, timeout="30s")


async def _targets(db: Database, index: str, name: str) -> list[Target]:
    rows = await db.fetch(
        "select t.physical, t.state from search.register(%s, %s, %s) as t",
        (index, name, await content_hash(db, name, index)),
    )
    return [Target(**row) for row in rows]


async def content_hash(db: Database, name: str, index: str) -> str:
    """Hash of all that shapes the documents of an index, as this code and database have it."""
    row = await db.fetch_one(
        "select search.content_hash(%s, %s) as hash",
        (index, name + orjson.dumps(definition(index)).decode()),
    )
    return str(row["hash"])


def definition(index: str) -> dict[str, Any]:
    """Settings and mapping of an index: its file, and the fields by which it is compared."""
    made: dict[str, Any] = orjson.loads((MAPPINGS / f"{index}.json").read_bytes())
    made["mappings"]["properties"] |= COMPARED
    made["mappings"]["_source"] = {"excludes": list(COMPARED)}
    return made


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
    made = definition(index)
    if target.state == "live":
        aliases[name] = {}
    else:
        made["settings"]["index"] |= FILLING
    with explained(f"creating {target.physical}"):
        try:
            await es.indices.create(index=target.physical, aliases=aliases, **made)
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


async def _drop_retired(
    db: Database,
    es: AsyncElasticsearch,
    settings: Settings,
    index: str,
    present: dict[str, set[str]],
) -> None:
    """Delete indices that were replaced, but the last one that was live only after its time.

    Any only a lease after it was retired: no bulk request to it is on its way then.
    """
    rows = await db.fetch(
        "select physical from search.disposable(%s, make_interval(secs => %s), make_interval(secs => %s))",
        (index, settings.search_lease, settings.search_keep_hours * 3600),
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
