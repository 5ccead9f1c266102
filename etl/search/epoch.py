"""Whether the database and Elasticsearch belong to the same instant: either may come from a backup.

Every version is told to Elasticsearch before documents carry it (:func:`note`), and remembered in a
row of ``search.epoch`` that a backup holds as it was. So a document that Elasticsearch has and a
restored database does not know of was sent under a version above the one in that row, and the note
is above it, too; whatever was sent under an earlier one has a mark in the backup. The other way
round, an Elasticsearch that acknowledged a note and has it no more has lost documents with it.
"""

import structlog
from elasticsearch import (
    ApiError,
    AsyncElasticsearch,
    BadRequestError,
    ConflictError,
    NotFoundError,
)

from etl.engine.database import Database
from etl.search.client import explained
from etl.settings import Settings

log = structlog.get_logger(__name__)

ID = "version"
SETTINGS = {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}}


def index_of_notes(settings: Settings) -> str:
    """Name of the index that holds the note: one document, its external version is all it says."""
    return f"{settings.search_prefix}epoch"


async def note(es: AsyncElasticsearch, settings: Settings, version: int) -> None:
    """Tell Elasticsearch of a version, before a document is sent under it.

    Raises:
        SearchUnavailable: it cannot be told: nothing may be sent under this version.
    """
    with explained(f"noting version {version}"):
        try:
            await es.options(max_retries=3, retry_on_timeout=True).index(
                index=index_of_notes(settings),
                id=ID,
                document={},
                version=version,
                version_type="external",
            )
        except ConflictError:
            return  # a higher one is noted, or this one was on a try whose answer was lost


async def acknowledge(db: Database, version: int) -> None:
    """Remember that Elasticsearch was told of ``version``: when it does not know it any more, it lost it."""
    await db.execute("update search.epoch set noted = %(v)s where noted < %(v)s", {"v": version})


async def check(db: Database, es: AsyncElasticsearch, settings: Settings) -> bool:
    """Notice that the database or Elasticsearch was restored: True when indices have to be built again.

    Costs a look-up in each. :func:`etl.search.indices.ensure` builds what has become stale.

    Raises:
        SearchUnavailable: Elasticsearch is away.
    """
    # What was acknowledged is read before the note and what was drawn after it: both only rise.
    before = await db.fetch_one("select epoch, noted from search.epoch")
    found = await _found(es, settings)
    now = await db.fetch_one("select version from search.epoch")
    if before["noted"] <= found <= now["version"]:
        return False
    with explained("looking for indices"):
        present = await es.indices.get_alias(index=f"{settings.search_prefix}*")
    return await begin(db, before["epoch"], found, list(present))


async def current(db: Database) -> int:
    """The epoch: another one once a restore was noticed."""
    return int((await db.fetch_one("select epoch from search.epoch"))["epoch"])


async def begin(db: Database, epoch: int, found: int, present: list[str] | None = None) -> bool:
    """Have every index built again that is there: another ``found`` than the database knows was noted.

    False when somebody else did it since ``epoch`` was read.
    """
    row = await db.fetch_one(
        "select search.begin_epoch(%s, %s, %s::text[]) as begun", (epoch, found, present)
    )
    if row["begun"]:
        log.warning(
            "database and index do not belong together, one was restored: indices are built again",
            version=found,
        )
    return bool(row["begun"])


async def _found(es: AsyncElasticsearch, settings: Settings) -> int:
    """The highest version noted; 0 when there is none. Makes the index of notes."""
    name = index_of_notes(settings)
    with explained(f"reading {name}"):
        try:
            return await _noted(es, name)
        except ApiError as error:
            if error.status_code != 503:
                raise
            # Another worker made it a moment ago, and its shard is only starting.
            started = es.options(ignore_status=408)  # when it never does, the next look says so
            await started.cluster.health(index=name, wait_for_status="yellow", timeout="10s")
            return await _noted(es, name)


async def _noted(es: AsyncElasticsearch, name: str) -> int:
    try:
        answer = await es.get(index=name, id=ID, source=False)
    except NotFoundError:
        await _make(es, name)
        return 0
    return int(answer["_version"])


async def _make(es: AsyncElasticsearch, name: str) -> None:
    try:
        await es.indices.create(index=name, settings=SETTINGS, mappings={"dynamic": False})
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
