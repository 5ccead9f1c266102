-- requires: fortnite.ccu_known, fortnite.peak_ccu, fortnite.peak_at
create view analytics.island_ccu_hour as
select
  h.ts,
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  (h.ccu_sum / h.samples::double precision)::real as avg_ccu,
  fortnite.peak_ccu(h.peak_key) as peak_ccu,
  fortnite.peak_at(h.peak_key) as peak_at,
  h.low as low_ccu,
  h.ccu_sum * 10 as minutes_played,
  h.samples as observed,
  6 as expected
from fortnite.ccu_hourly_store as h
inner join fortnite.island as i on h.island_id = i.island_id
where h.ts < (select k.hours_until from fortnite.ccu_known as k);

comment on view analytics.island_ccu_hour is
'Players of islands by hour that is over and stored; ask by code or by hour. One without a sample has no row: it '
'is unknown, not zero. What runs: see analytics.island_ccu';
comment on column analytics.island_ccu_hour.ts is 'Start of the hour (UTC)';
comment on column analytics.island_ccu_hour.code is 'Link code';
comment on column analytics.island_ccu_hour.title is 'Title, or the friendly name of an Epic mode, as it is now';
comment on column analytics.island_ccu_hour.avg_ccu is 'Players on average over the samples';
comment on column analytics.island_ccu_hour.peak_ccu is 'Highest sample';
comment on column analytics.island_ccu_hour.peak_at is 'First cycle that had it';
comment on column analytics.island_ccu_hour.low_ccu is 'Lowest sample';
comment on column analytics.island_ccu_hour.minutes_played is
'Sum of the samples times ten minutes: a lower bound where samples are missing';
comment on column analytics.island_ccu_hour.observed is 'Samples';
comment on column analytics.island_ccu_hour.expected is 'Samples a whole hour has';
