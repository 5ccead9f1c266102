-- requires: fortnite.ccu_known
create view analytics.tag_ccu_day as
select
  d.day,
  d.tag,
  (d.ccu_sum / nullif(t.observed, 0)::double precision)::real as avg_ccu,
  d.peak_ccu,
  d.ccu_sum * 10 as minutes_played,
  d.most_played,
  t.observed,
  t.expected,
  t.partial
from (
  select
    (h.ts at time zone 'UTC')::date as day,
    h.name as tag,
    sum(h.ccu_sum)::bigint as ccu_sum,
    max((select max(s.step) from unnest(h.steps) as s (step))) as peak_ccu,
    max(h.played) as most_played
  from fortnite.ccu_group_hourly as h
  where h.kind = 'tag'
  group by (h.ts at time zone 'UTC')::date, h.name
) as d
inner join (
  select
    (h.ts at time zone 'UTC')::date as day,
    sum(h.cycles)::integer as observed,
    144 as expected,
    (h.ts at time zone 'UTC')::date >= (k.groups_until at time zone 'UTC')::date as partial
  from fortnite.ccu_group_hourly as h
  cross join fortnite.ccu_known as k
  where h.kind = 'total' and h.name = ''
  group by (h.ts at time zone 'UTC')::date, (k.groups_until at time zone 'UTC')::date
) as t on d.day = t.day;

comment on view analytics.tag_ccu_day is
'Players of the islands of a tag by UTC day. Islands have several tags: tags add up to more than all';
comment on column analytics.tag_ccu_day.day is 'UTC day';
comment on column analytics.tag_ccu_day.tag is 'The tag islands had in each hour; empty: islands without one';
comment on column analytics.tag_ccu_day.avg_ccu is 'Players on average over the observed cycles of the day';
comment on column analytics.tag_ccu_day.peak_ccu is 'Players at the highest of its cycles';
comment on column analytics.tag_ccu_day.minutes_played is
'Sum of the samples times ten minutes: a lower bound where cycles are missing';
comment on column analytics.tag_ccu_day.most_played is
'Islands of the tag that had players, in the hour that had most';
comment on column analytics.tag_ccu_day.observed is
'Cycles of the stored hours of the day that sampled any island at all';
comment on column analytics.tag_ccu_day.expected is 'Cycles a whole day has';
comment on column analytics.tag_ccu_day.partial is 'Whether hours of the day are still to come';
