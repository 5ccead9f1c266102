"""One full pass: from the upstream to Elasticsearch, step by step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from elasticsearch import AsyncElasticsearch

from etl.demo.count import counted
from etl.demo.report import Report
from etl.engine import timeseries
from etl.engine.database import Database
from etl.fortnite import (
    catalogue,
    ccu,
    discovery,
    islands,
    metrics,
    performance,
    placements,
    players,
    rankings,
    totals,
)
from etl.search import indices, sync
from etl.settings import Settings
from etl.simulator.process import Running

CYCLE = timedelta(minutes=10)
PAGES = 1500
"""Creator pages a cycle of the pass asks for; in a large world the worker's cycles go on with the rest."""
MOST_PLAYED = 200
"""Islands whose metrics a pass reads; a worker goes on with the others."""

PREFER = """
with due as (
  update engine.crawl as c
  set due_at = now() - interval '1 day', class = 0
  from (
    select i.code
    from fortnite.island_now as n
    inner join fortnite.island as i on n.island_id = i.island_id
    where i.listed_at is not null and n.ccu > 0
    order by n.ccu desc
    limit %s
  ) as k
  where c.resource = 'fortnite.metrics' and c.key = k.code and c.state = 'active'
  returning 1
)

select count(*) as islands from due
"""
PLAYER_PAGES = 300
"""Player pages a pass reads at most: each is a request of its own."""


@dataclass
class Pass:
    """What the steps of one pass share."""

    db: Database
    elasticsearch: AsyncElasticsearch
    simulator: Running
    settings: Settings
    report: Report
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[None]:
        """Time a step and show its bar."""
        began = monotonic()
        with self.report.bar(name, total):
            yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + monotonic() - began, 3)

    async def run(self, history: int) -> dict[str, Any]:
        """Do all steps; ``history`` is the most CCU cycles taken. Every step may die and run again."""
        started = (await self.db.fetch_one("select clock_timestamp() as now"))["now"]
        await self._catalogue()
        await self._islands(await self._everything_due())
        cycles = await self._ccu(history)
        await self._discovery()
        await self._islands(None)  # those the cycles met for the first time
        await self._creators()
        await self._rollup()
        await self._metrics()
        await self._rankings()
        await self._search()
        counts = await counted(self.db, self.elasticsearch, self.settings, started, cycles)
        return {**counts, "seconds": self.seconds}

    async def _catalogue(self) -> None:
        with self.step("catalogue"):
            await catalogue.ingest(self.db, self.settings)

    async def _everything_due(self) -> int:
        """Make every island due now, as a pass of the demo is a whole one; how many there are."""
        row = await self.db.fetch_one(
            "with due as (update engine.crawl set due_at = now() "
            "where resource = 'fortnite.island' and state = 'active' returning 1) "
            "select count(*) as islands from due"
        )
        return int(row["islands"])

    async def _islands(self, total: int | None) -> None:
        with self.step("islands", total):
            while True:
                numbers = await islands.refresh_islands(self.db, self.settings, limit=2000)
                settled = numbers.landed + numbers.rejected + numbers.missing
                if settled == 0:
                    break
                self.report.advance(settled)

    async def _ccu(self, history: int) -> list[datetime]:
        """Cycles that have no samples yet, oldest first, with the simulated clock at each."""
        latest = (await self.db.fetch_one("select max(ts) as ts from fortnite.ccu_cycle"))["ts"]
        cycles = _cycles(datetime.now(UTC), latest, history)
        with self.step("ccu", len(cycles)):
            for ts in cycles:
                await self.simulator.clock(now=ts.isoformat())
                await ccu.cycle(self.db, self.settings, ts, pages=PAGES)
                self.report.advance(1)
            await self.simulator.clock(now=datetime.now(UTC).isoformat())
        return cycles

    async def _discovery(self) -> None:
        """One read, and the days that are over: the history begins with the first pass."""
        with self.step("discovery"):
            # An instant given has its ten minutes from now on, however soon the next cycle is.
            await discovery.read(self.db, self.settings, datetime.now(UTC))
            await placements.compute_days(self.db)

    async def _creators(self) -> None:
        """Every creator by the bulk route, and a few player pages."""
        with self.step("creators"):
            await players.refresh_creators(self.db, self.settings, requests=PLAYER_PAGES)

    async def _rollup(self) -> None:
        with self.step("rollup"):
            await timeseries.refresh(self.db)
        with self.step("performance"):
            await performance.compute(self.db)
        with self.step("totals"):
            await totals.count(self.db)
            await totals.close_days(self.db)

    async def _metrics(self) -> None:
        """The daily metrics of those most played, as if they had been due for long."""
        await self.db.execute("select fortnite.meet_metrics(2147483647)")
        row = await self.db.fetch_one(PREFER, [MOST_PLAYED])
        with self.step("metrics", row["islands"]):
            left = row["islands"]
            while left > 0:
                done = await metrics.read_due(self.db, self.settings, limit=min(left, 50))
                if done.read + done.gone == 0:
                    break
                left -= 50
                self.report.advance(done.read + done.gone)

    async def _rankings(self) -> None:
        """The days that are over: by peak those of which metrics were read, else as far as cycles go."""
        with self.step("rankings"):
            await rankings.compute_days(self.db, self.settings)

    async def _search(self) -> None:
        with self.step("search"):
            await indices.ensure(self.db, self.elasticsearch, self.settings)
            while (await sync.sync(self.db, self.elasticsearch, self.settings)).sent:
                pass


def _cycles(now: datetime, latest: datetime | None, history: int) -> list[datetime]:
    """The last ``history`` cycle starts up to ``now`` that come after ``latest``, at least one."""
    newest = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    back = [newest - CYCLE * n for n in range(history)]
    return sorted(ts for ts in back if latest is None or ts > latest) or [newest]
