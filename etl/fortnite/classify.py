"""Which islands are worth a look how often: popular, ordinary and dead-looking ones."""

from etl.engine.database import Database
from etl.settings import Settings

ISLANDS = 5000  # a transaction holds the crawl rows of no more than these

POPULAR = """
select min(p.avg_7d) as avg_7d
from (
  select i.avg_7d from fortnite.island_performance as i
  where i.avg_7d > 0 and fortnite.enough_coverage(i.coverage_7d)
  order by i.avg_7d desc nulls last, i.island_id limit %s
) as p
"""


async def classify(db: Database, settings: Settings) -> int:
    """Give every island that was fetched its crawl class; returns how many changed theirs.

    Popular are the first ETL_FORTNITE_CCU_TOP by 7-day average, among those sampled in a tenth of it or more, and
    those that tie with the last of them; dead-looking those without a player in 30 days that
    were known for as long. 5,000 islands a transaction: one that dies is simply run again.
    """
    popular = (await db.fetch_one(POPULAR, [settings.fortnite_ccu_top]))["avg_7d"]
    changed, last = 0, ""
    while True:
        row = await db.fetch_one(
            "select * from fortnite.classify(%s, %s, %s::real)", [last, ISLANDS, popular]
        )
        if row["last"] is None:
            return changed
        changed += row["changed"]
        last = row["last"]
