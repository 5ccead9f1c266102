"""Who creators are: all by the bulk route, and as many player pages as the rate leaves room for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec
import structlog

from etl.engine import split
from etl.engine.arrays import IntegerArray, TextArray
from etl.engine.database import Database
from etl.engine.errors import Refused, Transient, Unauthorized
from etl.engine.hashing import GONE
from etl.engine.items import Claim, Failed, Found, Item, Missing, Numbers
from etl.engine.resource import DOUBTED, refresh
from etl.engine.together import together
from etl.fortnite.account import OFF, credentials
from etl.fortnite.islands import BLAMED
from etl.fortnite.pops import MOST_ACCOUNTS, Pops, open_pops
from etl.fortnite.resources import CREATOR, PLAYER_PAGE
from etl.fortnite.shapes import Followers
from etl.settings import Settings

log = structlog.get_logger(__name__)

SIDE_BY_SIDE = 2
"""Player pages asked for at once: with four creator pages (``creators.LANES``) they get a third of the turns."""
MOST_AT_ONCE = 50
STORE = "select fortnite.store_followers(clock_timestamp(), %s, %s) as stored"


@dataclass(slots=True)
class CreatorNumbers:
    """What a round did.

    ``met``: creators that were unknown. ``bulk``, ``pages``: what became of those asked for by the
    bulk route and of player pages. ``followers``: rows that readings of followers made.
    """

    met: int = 0
    bulk: Numbers = field(default_factory=Numbers)
    pages: Numbers = field(default_factory=Numbers)
    followers: int = 0


class _Followed(msgspec.Struct, rename="camel"):
    follower_count: Followers | None = None


async def refresh_creators(
    db: Database, settings: Settings, *, requests: int | None = None
) -> CreatorNumbers:
    """Meet creators, name those that are due by the bulk route, then read player pages that are due.

    New ones first, then by class. Creator pages share the rate: while both have work, player pages
    get a third of it, and what one leaves the other takes. Without credentials it does nothing but
    say so. When it dies, what it had landed stays and what it had claimed is due again at the end
    of its lease; a reading of followers may be stored whose page is not.

    Args:
        db: where creators go.
        settings: where they come from.
        requests: player pages to ask for at most, and half as many bulk requests; None is a little
            more than the rate allows in a minute, so that a job each minute leaves no pause.

    Raises:
        PlainError: credentials or ETL_TOKEN_KEY are incomplete.
        Refused: the service refuses us, and as Unauthorized our token; who was asked for is not
            blamed. Where one of a bulk request may be the reason, each is asked for alone next. So
            are ten player pages refused, or gone that were there, one after another; of those, the
            ones settled before the last request stay blamed.
    """
    account = credentials(settings)
    if account is None:
        log.info(OFF)
        return CreatorNumbers()
    per_minute = settings.fortnite_creators_per_minute
    most = per_minute + SIDE_BY_SIDE if requests is None else requests
    work = _Round(db, settings, max(1, min(MOST_AT_ONCE, per_minute // 60)))
    work.numbers.met = (await db.fetch_one("select fortnite.meet_creators() as n"))["n"]
    async with open_pops(db, settings, account) as one, open_pops(db, settings, account) as other:
        await work.bulk(one, MOST_ACCOUNTS * max(1, most // 2))
        await db.execute("select fortnite.hurry_pages()")
        share = -(-most // SIDE_BY_SIDE)
        await together(work.pages(one, share), work.pages(other, share))
    if work.refusal is not None:
        raise work.refusal
    return work.numbers


class _Round:
    """A round under way. ``refusal``: why the service takes no request of ours any more."""

    def __init__(self, db: Database, settings: Settings, at_once: int) -> None:
        self.numbers = CreatorNumbers()
        self.refusal: Refused | None = None
        self._in_a_row = 0
        self._db = db
        self._settings = settings
        # where the rate is low, one by one: a request that fails then fails for nobody else
        self._page = replace(PLAYER_PAGE, batch=at_once)

    async def bulk(self, pops: Pops, most: int) -> None:
        """Name up to so many creators that are due."""

        async def fetch(claims: Sequence[Claim]) -> Sequence[Item]:
            try:
                return await pops.bulk([claim.key for claim in claims])
            except Refused as error:
                if error.status in BLAMED:
                    raise
                raise self._refused(error) from None

        self.numbers.bulk = await refresh(
            self._db, CREATOR, fetch, limit=most, settings=self._settings, turn=pops.turn
        )

    async def pages(self, pops: Pops, most: int) -> None:
        """Read up to so many player pages that are due."""

        async def fetch(claims: Sequence[Claim]) -> Sequence[Item | Failed]:
            items = [await self._read(pops, claim) for claim in claims]
            await self._follow(items)
            return items

        async def turn() -> None:
            if self.refusal is not None:
                raise Transient(self.refusal.reason)
            await pops.turn()

        numbers = await refresh(
            self._db, self._page, fetch, limit=most, settings=self._settings, turn=turn
        )
        self.numbers.pages.add(numbers)

    async def _read(self, pops: Pops, claim: Claim) -> Item | Failed:
        try:
            item: Item | Failed = await pops.page(claim.key)
        except Unauthorized as error:
            raise self._refused(error) from None
        except Refused as error:
            self._without(error)
            return Failed(claim.key, error.reason)
        if isinstance(item, Missing) and claim.body_hash not in (None, GONE):
            self._without(Refused(404, item.reason))
        elif isinstance(item, Found):
            self._in_a_row = 0
        return item

    def _without(self, error: Refused) -> None:
        """Count who is refused, or had a page and has none; so many in a row, and it is the service."""
        self._in_a_row += 1
        if self._in_a_row >= DOUBTED:
            raise self._refused(error)

    def _refused(self, error: Refused) -> Transient:
        self.refusal = error
        return Transient(error.reason)

    async def _follow(self, items: Sequence[Item | Failed]) -> None:
        """Store the readings of followers: a page that tells nothing else new is not sent."""
        counts = {}
        for item in items:
            if isinstance(item, Found):
                try:
                    count = split.read(item.body, _Followed).follower_count
                except ValueError:
                    continue  # the page is set aside when it lands, with the reason
                if count is not None:
                    counts[item.key] = count
        if counts:
            arrays = [TextArray.of(counts), IntegerArray.of(list(counts.values()))]
            row = await self._db.fetch_one(STORE, arrays)
            self.numbers.followers += row["stored"]
