"""Details of islands from the Links service: those that are due, a hundred in a request."""

from collections.abc import Sequence

import structlog

from etl.engine.database import Database
from etl.engine.errors import Refused, Transient
from etl.engine.items import Claim, Item, Numbers
from etl.engine.resource import refresh
from etl.fortnite.account import OFF, credentials
from etl.fortnite.client import open_links
from etl.fortnite.resources import ISLAND
from etl.settings import Settings

log = structlog.get_logger(__name__)


BLAMED = frozenset({400, 404, 413, 422})
"""Refusals that may be due to one of the codes asked for."""


async def refresh_islands(db: Database, settings: Settings, limit: int) -> Numbers:
    """Fetch and land up to ``limit`` islands that are due; all zero where none is.

    Without credentials it does nothing but say so. When it dies, what it had landed stays and what
    it had claimed is due again at the end of its lease.

    Raises:
        PlainError: credentials or ETL_TOKEN_KEY are incomplete.
        Refused: Links refuses us, and as Unauthorized our token; the islands asked for are not
            blamed. Where one of them may be the reason, each is asked for alone next.
    """
    account = credentials(settings)
    if account is None:
        log.info(OFF)
        return Numbers()
    refusal: Refused | None = None
    async with open_links(db, settings, account) as links:

        async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
            nonlocal refusal
            try:
                return await links.lookup([claim.key for claim in claims])
            except Refused as error:
                if error.status in BLAMED:
                    raise
                refusal = error
                raise Transient(error.reason) from None

        numbers = await refresh(db, ISLAND, fetch, limit=limit, settings=settings, turn=links.turn)
    if refusal is not None:
        raise refusal
    return numbers
