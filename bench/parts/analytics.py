"""A month of a large world, made by set-based inserts: what the questions of the cookbook are asked of."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

from etl.engine.database import Connection, Database

END = datetime(2026, 11, 20, tzinfo=UTC)
"""End of the last day."""
DAY = timedelta(days=1)

ISLANDS = """
insert into fortnite.island (
  code, source, first_seen_at, listed_at, detailed_at, title, tagline, description, creator_account_id, creator_name,
  creator_code, tags, category, created_in, image_url, image_urls, published_at, updated_at, version
)
select
  case when n %% 5000 = 0 then 'playlist_mode' || n
    else regexp_replace(to_char(n, 'FM000000000000'), '(.{4})(.{4})(.{4})', '\\1-\\2-\\3') end,
  'catalogue', %(end)s::timestamptz, %(end)s, %(end)s,
  'Island number ' || n, 'A tagline of forty characters or so, ' || n, repeat('What it is about. ', 12),
  case when n %% 997 = 0 then 'epic' else md5((n %% %(creators)s)::text) end,
  'Creator ' || n %% %(creators)s, 'creator' || n %% %(creators)s,
  array(
    select distinct 'tag ' || floor(151 * power(abs(hashint8(n * 7 + k) %% 100000) / 100000.0, 2.5))
    from generate_series(1, 4) as k
  ),
  'brand', 'UEFN', 'https://cdn.example/' || md5(n::text) || '.jpeg',
  jsonb_build_object('url', 'https://cdn.example/' || md5(n::text), 'url_s', 'https://cdn.example/s' || md5(n::text)),
  %(end)s::timestamptz - ((%(islands)s - n) * interval '172 seconds'), %(end)s, 1 + n %% 40
from generate_series(1, %(islands)s) as n
"""
CREATORS = """
insert into fortnite.creator (account_id, source, first_seen_at, display_name)
select md5(n::text), 'catalogue', %(end)s, 'Creator ' || n from generate_series(0, %(creators)s - 1) as n
union all
select 'epic', 'catalogue', %(end)s, 'Epic Games'
"""
NOW = """
insert into fortnite.island_now (island_id, ts, recorded_at, since, ccu, marked_ccu, record_ccu)
select
  i.island_id, %(end)s, %(end)s, %(end)s::timestamptz - interval '30 days', v.ccu, v.ccu, v.ccu
from fortnite.island as i
cross join lateral (
  select case when abs(hashint4(i.island_id)) %% 1000 < %(permille)s
    then (40000 / (1 + abs(hashint4(i.island_id * 3)) %% %(islands)s * 0.2))::integer else 0 end as ccu
) as v
"""
ACTIVE = """
create table public.active as
select i.island_id, (40000 / (1 + abs(hashint4(i.island_id * 3)) %% %(islands)s * 0.2))::real as level
from fortnite.island as i
where abs(hashint4(i.island_id)) %% 1000 < %(permille)s
order by i.island_id
"""
# Six samples an hour: a wave over the day, another phase an island, a little noise. In the order in which hours are
# stored, which needs no sort.
HOURS = """
insert into fortnite.ccu_hourly_store (ts, ccu_sum, peak_key, first_key, last_key, island_id, samples, low)
select
  h.ts, 6 * v.ccu, (v.ccu * 11 / 10 << 32) - h.epoch, (h.epoch << 31) + v.ccu, (h.epoch + 3000 << 31) + v.ccu,
  v.island_id, 6, v.ccu * 9 / 10
from (
  select t as ts, extract(epoch from t)::bigint as epoch
  from generate_series(%(day)s::timestamptz, %(day)s::timestamptz + interval '23 hours', interval '1 hour') as t
) as h
cross join lateral (
  select
    a.island_id,
    (a.level * (1.2 + sin((h.epoch %% 86400)::float8 / 13750 + a.island_id %% 5)))::bigint as ccu
  from public.active as a
  order by a.island_id
) as v
"""
DAYS = """
insert into fortnite.ccu_daily_store (ts, ccu_sum, peak_key, first_key, last_key, island_id, samples, low)
select
  d.ts, 144 * v.ccu, (v.ccu * 2 << 32) - d.epoch, (d.epoch << 31) + v.ccu, (d.epoch + 85800 << 31) + v.ccu,
  v.island_id, 144, v.ccu / 5
from (select %(day)s::timestamptz as ts, extract(epoch from %(day)s::timestamptz)::bigint as epoch) as d
cross join lateral (
  select
    a.island_id,
    (a.level * (1.2 + (a.island_id + d.epoch / 86400) %% 7 / 10.0::float8))::bigint as ccu
  from public.active as a
  order by a.island_id
) as v
"""
SAMPLES = """
insert into fortnite.ccu (ts, island_id, ccu)
select h.ts + n * interval '10 minutes', h.island_id, h.ccu_sum / 6
from fortnite.ccu_hourly_store as h
cross join generate_series(0, 5) as n
where h.ts = %(hour)s
order by n, h.island_id
"""
# One hour is added up by the function of every hour; the others are its like.
GROUPS = """
insert into fortnite.ccu_group_hourly (ts, ccu_sum, samples, islands, played, cycles, kind, name, steps)
select
  t.ts, (g.ccu_sum * w.wave)::bigint, g.samples, g.islands, g.played, 6, g.kind, g.name,
  array(select (s * w.wave)::bigint from unnest(g.steps) as s)
from fortnite.ccu_group_hourly as g
cross join generate_series(%(start)s::timestamptz, g.ts - interval '1 hour', interval '1 hour') as t (ts)
cross join lateral (select 1.1 + 0.3 * sin(extract(epoch from t.ts) %% 86400 / 13750.0)) as w (wave)
where g.ts = %(hour)s
order by t.ts, g.kind, g.name
"""
CYCLES = """
insert into fortnite.ccu_cycle (ts, source, expected, observed, complete, finished_at)
select t, 'entries', %(active)s, %(active)s, true, t
from generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '10 minutes', interval '10 minutes') as t
"""
METRICS = """
insert into fortnite.island_metric (
  ts, read_at, minutes_played, retention_d1, retention_d7, island_id, peak_ccu, unique_players, plays, bucket_minutes,
  partial
)
select
  %(day)s, %(day)s::timestamptz + interval '1 day', (a.level * 1440)::bigint,
  case when a.island_id %% 25 < 14 then 0.05 + a.island_id %% 20 / 100.0 end,
  case when a.island_id %% 25 < 7 then 0.02 + a.island_id %% 10 / 100.0 end,
  a.island_id, (2 * a.level)::integer, (20 * a.level)::integer + 5, (30 * a.level)::integer + 6, 1440, false
from public.active as a
where a.island_id %% 9 < 5
order by a.island_id
"""
CHANGES = """
insert into fortnite.island_change (island_id, changed_at, resource, version, fields, old, new)
select
  1 + abs(hashint4(n)) %% %(islands)s, %(start)s::timestamptz + n * (interval '30 days' / %(islands)s),
  'fortnite.island', 2,
  array[case when n %% 50 = 0 then 'tags' else 'title' end, 'version'],
  case when n %% 50 = 0 then '{"tags": ["tag 1"], "version": 1}' else '{"title": "old", "version": 1}' end::jsonb,
  case when n %% 50 = 0 then '{"tags": ["tag 2"], "version": 2}' else '{"title": "new", "version": 2}' end::jsonb
from generate_series(1, %(islands)s) as n
"""
PANELS = """
insert into fortnite.panel (surface, region, panel, name, position, first_seen_at, read_at)
select 'Frontend', r.region, 'Panel' || n, 'Panel ' || n, n, %(start)s, %(end)s
from unnest('{NAE,NAW,NAC,EU,ME,OCE,BR,ASIA}'::text[]) as r (region), generate_series(1, 193) as n
"""
SPANS = """
insert into fortnite.placement_ended (panel_id, position, since, until, entered_at, code)
select
  p.panel_id, k, t, t + interval '6 hours', t,
  (select i.code from fortnite.island as i where i.island_id = a.island_id)
from fortnite.panel as p
cross join generate_series(1, 10) as k
cross join generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 day', interval '12 hours') as t
inner join lateral (
  select o.island_id
  from public.active as o
  where o.island_id >= abs(hashint8(p.panel_id * 1000 + k * 31 + extract(epoch from t)::bigint)) %% %(islands)s
  order by o.island_id
  limit 1
) as a on true
where p.region in ('EU', 'NAE')
order by t, p.panel_id, k
on conflict do nothing
"""
EVENTS = """
insert into fortnite.placement_event (at, panel_id, previous_position, event, code)
select e.until, e.panel_id, e.position, 'REMOVED', e.code
from fortnite.placement_ended as e
where e.until > %(end)s::timestamptz - interval '2 days'
on conflict do nothing
"""
# The global lists alone: who asks for one list does not see how many others there are.
RANKINGS = """
with list as (
  insert into fortnite.ranking_list (since, list, name, measure)
  select %(start)s::timestamptz::date, 'global', '', m from unnest('{average,minutes}'::text[]) as m
  returning list_id
),

ranked as (
  select
    (d.ts at time zone 'UTC')::date as day,
    d.island_id,
    d.ccu_sum,
    row_number() over (partition by d.ts order by d.ccu_sum desc, d.island_id)::integer as rank
  from fortnite.ccu_daily_store as d
)

insert into fortnite.ranking_row (value, day, list_id, island_id, rank, previous_rank, best_rank, best_on)
select r.ccu_sum * 10, r.day, l.list_id, r.island_id, r.rank, b.rank, least(r.rank, b.rank), r.day
from ranked as r
left join ranked as b on r.island_id = b.island_id and r.day = b.day + 1 and b.rank <= 1000
cross join list as l
where r.rank <= 1000
"""
STORED = """
update engine.series set
  newest = %(end)s::timestamptz - interval '10 minutes', closing_until = %(end)s, refreshed_until = %(end)s
where relation like 'fortnite.ccu%%'
"""


@dataclass(frozen=True)
class Size:
    """How large the world is. ``hours``: days at the end that have hours of islands."""

    islands: int
    active: float
    days: int
    hours: int

    @property
    def values(self) -> dict[str, object]:
        """What the statements take."""
        return {
            "islands": self.islands,
            "creators": self.islands // 10,
            "permille": round(1000 * self.active),
            "active": int(self.islands * self.active),
            "start": END - self.days * DAY,
            "end": END,
            "hour": END - timedelta(hours=1),
        }


async def build(db: Database, size: Size) -> None:
    """Fill an empty, migrated database; the last hours have samples, and the last hour is added up as every hour is."""
    values = size.values
    async with db.connection() as conn:
        await conn.execute("set work_mem = '256MB'")
        for name, query in (
            ("islands", ISLANDS),
            ("creators", CREATORS),
            ("now", NOW),
            ("active", ACTIVE),
        ):
            await _timed(conn, name, query, values)
        await conn.execute("create unique index on public.active (island_id)")
        await conn.execute(
            "vacuum analyze fortnite.island, fortnite.island_now, fortnite.creator, public.active"
        )
        for n in range(size.days):
            day = {**values, "day": END - (size.days - n) * DAY}
            for level in ("ccu_hourly", "ccu_daily", "ccu"):
                await conn.execute(
                    "select engine.make_room(%s, %s)", [f"fortnite.{level}", day["day"]]
                )
            if size.days - n <= size.hours:
                await _timed(conn, f"day {n + 1}: hours", HOURS, day)
            await _timed(conn, f"day {n + 1}: day", DAYS, day)
            await _timed(conn, f"day {n + 1}: metrics", METRICS, day)
        for n in range(24):
            await _timed(conn, "samples", SAMPLES, {"hour": END - (24 - n) * timedelta(hours=1)})
        await conn.execute(
            "vacuum analyze fortnite.ccu_hourly_store, fortnite.ccu_daily_store, fortnite.ccu"
        )
        for name, query in (
            ("cycles", CYCLES),
            ("changes", CHANGES),
            ("panels", PANELS),
            ("spans", SPANS),
            ("events", EVENTS),
        ):
            await _timed(conn, name, query, values)
        await conn.execute(STORED, values)
        await conn.execute("analyze")
        await _timed(
            conn, "ADDING UP AN HOUR BY GROUP", "select fortnite.sum_ccu_groups(%(hour)s)", values
        )
        await _timed(conn, "the other hours", GROUPS, values)
        for n in range(size.days):
            past: dict[str, object] = {"day": END.date() - (size.days - n) * DAY}
            await _timed(conn, "creators of a day", "select fortnite.close_creators(%(day)s)", past)
        for n in range(size.days):
            await conn.execute(
                "select fortnite.make_ranking_room(%s)", [END.date() - (n + 1) * DAY]
            )
        await _timed(conn, "rankings", RANKINGS, values)
        await conn.execute("vacuum analyze")


async def _timed(conn: Connection, name: str, query: str, values: dict[str, object]) -> None:
    began = perf_counter()
    cursor = await conn.execute(query.encode(), values)
    print(f"   {perf_counter() - began:7.2f} s  {name}: {cursor.rowcount:,}", flush=True)
