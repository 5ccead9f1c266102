"""Rankings as the plainest code there is makes them, and what their tests set up and read back."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from etl.engine.database import Database

DAY = timedelta(days=1)
STEP = timedelta(minutes=10)

Key = tuple[str, str, str]  # list, name, measure
Rows = list[tuple[Any, ...]]


def start(day: date) -> datetime:
    """Midnight, UTC, that a day begins with."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass
class Island:
    """An island as lists ask for it."""

    code: str
    creator: str | None = None
    category: str | None = None
    labels: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def lists(self) -> set[tuple[str, str]]:
        """The lists it is in: of what kind, and whose."""
        named = {("tag", tag) for tag in self.tags} | {("category", one) for one in self.labels}
        for kind, name in (("creator", self.creator), ("category", self.category)):
            if name is not None:
                named.add((kind, name))
        return {("global", ""), *named}


@dataclass
class World:
    """Islands, their samples, and what the Data API told of their days."""

    islands: list[Island]
    samples: dict[tuple[str, datetime], int] = field(default_factory=dict)
    peaks: dict[tuple[str, date], int] = field(default_factory=dict)

    def values(self, day: date) -> dict[str, dict[str, float]]:
        """By measure, what islands are ranked by on a day."""
        own: defaultdict[str, list[int]] = defaultdict(list)
        for (code, ts), ccu in self.samples.items():
            if ts.date() == day:
                own[code].append(ccu)
        return {
            "average": {c: sum(s) / len(s) for c, s in own.items() if len(s) > 14 and sum(s) > 0},
            "minutes": {code: 10.0 * sum(s) for code, s in own.items() if sum(s) > 0},
            "peak": {code: peak for (code, on), peak in self.peaks.items() if on == day and peak},
        }

    def rankings(self, days: list[date], top: int) -> Rows:
        """Every row of every list on these days, which are in a row."""
        lists = {island.code: island.lists() for island in self.islands}
        best: dict[tuple[Key, str], tuple[int, date]] = {}
        ranked: dict[Key, dict[date, dict[str, int]]] = defaultdict(dict)
        rows: Rows = []
        for day in days:
            for measure, values in self.values(day).items():
                places: defaultdict[Key, int] = defaultdict(int)
                for code, value in sorted(values.items(), key=lambda one: (-one[1], one[0])):
                    for kind, name in lists[code]:
                        key = kind, name, measure
                        places[key] += 1
                        if (rank := places[key]) > top:
                            continue
                        ranked[key].setdefault(day, {})[code] = rank
                        best[key, code] = min(best.get((key, code), (rank, day)), (rank, day))
                        before = ranked[key].get(day - DAY, {}).get(code)
                        rows.append(
                            (
                                *(day, *key, rank, code, value, before),
                                None if before is None else before - rank,
                                *best[key, code],
                                min(ranked[key]),
                            )
                        )
        return sorted(rows, key=lambda row: row[:5])


async def known(db: Database, islands: list[Island]) -> None:
    """Make islands known as their details describe them."""
    for one in islands:
        await db.execute(
            "insert into fortnite.island (code, source, first_seen_at, title, creator_account_id,"
            " category, category_labels, tags)"
            " values (%s, 'test', '2026-01-01Z', %s, %s, %s, %s, %s)",
            [one.code, f"<{one.code}>", one.creator, one.category, one.labels, one.tags],
        )


async def sample(db: Database, world: World, samples: dict[tuple[str, datetime], int]) -> None:
    """Store samples, late ones too."""
    world.samples |= samples
    for day in {ts.date() for _, ts in samples}:
        await db.execute("select engine.make_room('fortnite.ccu', %s)", [start(day)])
    await db.execute(
        "insert into fortnite.ccu as c (ts, island_id, ccu)"
        " select u.ts, i.island_id, u.ccu"
        " from unnest(%s::text[], %s::timestamptz[], %s::int[]) as u (code, ts, ccu)"
        " join fortnite.island as i on i.code = u.code"
        " on conflict (ts, island_id) do update set ccu = excluded.ccu",
        [[code for code, _ in samples], [ts for _, ts in samples], list(samples.values())],
    )


async def tell(db: Database, world: World, peaks: dict[tuple[str, date], int]) -> None:
    """Store peaks of closed days as the Data API tells them."""
    world.peaks |= peaks
    await db.execute(
        "insert into fortnite.island_metric as m"
        " (ts, island_id, bucket_minutes, read_at, partial, peak_ccu)"
        " select u.ts, i.island_id, 1440, now(), false, u.peak"
        " from unnest(%s::text[], %s::timestamptz[], %s::int[]) as u (code, ts, peak)"
        " join fortnite.island as i on i.code = u.code"
        " on conflict (island_id, ts, bucket_minutes) do update set peak_ccu = excluded.peak_ccu",
        [[code for code, _ in peaks], [start(day) for _, day in peaks], list(peaks.values())],
    )


async def read(db: Database) -> Rows:
    """Every row there is, as analysts see it."""
    rows = await db.fetch(
        "select day, list, name, measure, rank, code, value, previous_rank, movement, best_rank,"
        " best_on, since from analytics.ranking"
    )
    return sorted((tuple(row.values()) for row in rows), key=lambda row: row[:5])
