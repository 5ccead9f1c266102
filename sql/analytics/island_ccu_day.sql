-- requires: fortnite.ccu_known, fortnite.peak_ccu, fortnite.peak_at
create view analytics.island_ccu_day as
select
  (h.ts at time zone 'UTC')::date as day,
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  (h.ccu_sum / h.samples::double precision)::real as avg_ccu,
  fortnite.peak_ccu(h.peak_key) as peak_ccu,
  fortnite.peak_at(h.peak_key) as peak_at,
  h.low as low_ccu,
  h.ccu_sum * 10 as minutes_played,
  h.samples as observed,
  144 as expected
from fortnite.ccu_daily_store as h
inner join fortnite.island as i on h.island_id = i.island_id
where h.ts < (select k.days_until from fortnite.ccu_known as k);

comment on view analytics.island_ccu_day is
'Players of islands by UTC day that is over and stored; ask by code or by day. One without a sample has no row: '
'it is unknown, not zero. What runs: see analytics.island_ccu';
comment on column analytics.island_ccu_day.day is 'UTC day';
comment on column analytics.island_ccu_day.code is 'Link code';
comment on column analytics.island_ccu_day.title is 'Title, or the friendly name of an Epic mode, as it is now';
comment on column analytics.island_ccu_day.avg_ccu is 'Players on average over the samples';
comment on column analytics.island_ccu_day.peak_ccu is 'Highest sample';
comment on column analytics.island_ccu_day.peak_at is 'First cycle that had it';
comment on column analytics.island_ccu_day.low_ccu is 'Lowest sample';
comment on column analytics.island_ccu_day.minutes_played is
'Sum of the samples times ten minutes: a lower bound where samples are missing';
comment on column analytics.island_ccu_day.observed is 'Samples';
comment on column analytics.island_ccu_day.expected is 'Samples a whole day has';
