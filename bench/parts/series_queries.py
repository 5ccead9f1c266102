"""What analysts ask of CCU: of the roll-ups, and the same of the samples themselves."""

from typing import LiteralString

ISLAND_DAY = """
select ts, ccu_sum, samples, peak from fortnite.ccu_hourly
where island_id = 7 and ts >= %(end)s - interval '1 day' and ts < %(end)s order by ts
"""
ISLAND_DAY_DIRECT = """
select date_bin('1 hour', ts, '2000-01-01 00:00Z'), sum(ccu), count(*), max(ccu) from fortnite.ccu
where island_id = 7 and ts >= %(end)s - interval '1 day' and ts < %(end)s group by 1 order by 1
"""
ISLAND_YEAR = """
select ts, ccu_sum, samples, peak from fortnite.ccu_daily
where island_id = 7 and ts >= %(end)s - interval '1 year' and ts < %(end)s order by ts
"""
ISLAND_YEAR_DIRECT = """
select date_bin('1 day', ts, '2000-01-01 00:00Z'), sum(ccu), count(*), max(ccu) from fortnite.ccu
where island_id = 7 and ts >= %(end)s - interval '1 year' and ts < %(end)s group by 1 order by 1
"""
TOP = """
select island_id, round(sum(ccu_sum) / sum(samples), 6) from fortnite.ccu_daily
where ts >= %(end)s - interval '7 days' and ts < %(end)s group by 1 order by 2 desc, 1 limit 100
"""
TOP_DIRECT = """
select island_id, round(avg(ccu), 6) from fortnite.ccu
where ts >= %(end)s - interval '7 days' and ts < %(end)s group by 1 order by 2 desc, 1 limit 100
"""
TOTAL = """
select ts, sum(ccu_sum) from fortnite.ccu_hourly
where ts >= %(end)s - interval '30 days' and ts < %(end)s group by 1 order by 1
"""
TOTAL_DIRECT = """
select date_bin('1 hour', ts, '2000-01-01 00:00Z'), sum(ccu) from fortnite.ccu
where ts >= %(end)s - interval '30 days' and ts < %(end)s group by 1 order by 1
"""
SHARE = """
select round(sum(d.ccu_sum) filter (where 't3' = any(i.tags)) / sum(d.ccu_sum), 9)
from fortnite.ccu_daily as d join fortnite.island as i using (island_id)
where d.ts >= %(end)s - interval '7 days' and d.ts < %(end)s
"""
SHARE_DIRECT = """
select round(sum(c.ccu) filter (where 't3' = any(i.tags))::numeric / sum(c.ccu), 9)
from fortnite.ccu as c join fortnite.island as i using (island_id)
where c.ts >= %(end)s - interval '7 days' and c.ts < %(end)s
"""
GAPS = """
select count(*) from fortnite.ccu_hourly
where samples < 6 and ts >= %(end)s - interval '30 days' and ts < %(end)s
"""
GAPS_DIRECT = """
select count(*) from (
  select from fortnite.ccu where ts >= %(end)s - interval '30 days' and ts < %(end)s
  group by island_id, date_bin('1 hour', ts, '2000-01-01 00:00Z') having count(*) < 6
) as g
"""

QUESTIONS: dict[str, tuple[LiteralString, LiteralString]] = {
    "island, 24 hours": (ISLAND_DAY, ISLAND_DAY_DIRECT),
    "island, a year": (ISLAND_YEAR, ISLAND_YEAR_DIRECT),
    "top 100, 7 days": (TOP, TOP_DIRECT),
    "total by hour, 30 days": (TOTAL, TOTAL_DIRECT),
    "share of a tag, 7 days": (SHARE, SHARE_DIRECT),
    "gaps, 30 days": (GAPS, GAPS_DIRECT),
}
