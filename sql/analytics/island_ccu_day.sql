-- requires: fortnite.ccu_daily, fortnite.ccu_known
create view analytics.island_ccu_day as
select
  (d.ts at time zone 'UTC')::date as day,
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  (d.ccu_sum / d.samples::double precision)::real as avg_ccu,
  d.peak as peak_ccu,
  d.peak_at,
  d.low as low_ccu,
  d.ccu_sum * 10 as minutes_played,
  d.samples as observed,
  144 as expected,
  d.ts >= k.days_until as partial
from fortnite.ccu_daily as d
inner join fortnite.island as i on d.island_id = i.island_id
cross join fortnite.ccu_known as k;

comment on view analytics.island_ccu_day is
'Players of islands by UTC day; ask by code. A day without a sample has no row: it is unknown, not zero';
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
comment on column analytics.island_ccu_day.partial is 'Whether the day is not stored yet, so that more may come';
