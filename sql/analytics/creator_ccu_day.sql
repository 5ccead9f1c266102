create view analytics.creator_ccu_day as
select
  d.day,
  c.account_id,
  coalesce(c.display_name, c.account_id) as name,
  (d.minutes_played / 10 / nullif(t.observed, 0)::double precision)::real as avg_ccu,
  d.minutes_played,
  d.islands,
  d.played,
  d.followers,
  t.observed,
  144 as expected
from fortnite.creator_daily as d
inner join fortnite.creator as c on d.creator_id = c.creator_id
left join (
  select
    (h.ts at time zone 'UTC')::date as day,
    sum(h.cycles)::integer as observed
  from fortnite.ccu_group_hourly as h
  where h.kind = 'total' and h.name = ''
  group by (h.ts at time zone 'UTC')::date
) as t on d.day = t.day;

comment on view analytics.creator_ccu_day is
'Players of the islands of a creator by UTC day that is over. Creators who were neither played nor changed that '
'day have no row';
comment on column analytics.creator_ccu_day.day is 'UTC day';
comment on column analytics.creator_ccu_day.account_id is 'Account';
comment on column analytics.creator_ccu_day.name is 'Name the creator shows now';
comment on column analytics.creator_ccu_day.avg_ccu is
'Players on average over the observed cycles, all islands together; null: no cycle of that day is stored';
comment on column analytics.creator_ccu_day.minutes_played is
'Sum of the samples times ten minutes: a lower bound where cycles are missing';
comment on column analytics.creator_ccu_day.islands is
'Islands at the end of the day, for who had them when the day was added up';
comment on column analytics.creator_ccu_day.played is 'Islands that had players';
comment on column analytics.creator_ccu_day.followers is
'Followers as last read by the end of the day; null: never read';
comment on column analytics.creator_ccu_day.observed is 'Cycles that sampled any island at all';
comment on column analytics.creator_ccu_day.expected is 'Cycles a whole day has';
