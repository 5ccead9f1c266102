-- requires: fortnite.ccu_hourly_packed, fortnite.peak_ccu, fortnite.peak_at
create view fortnite.ccu_daily as
select
  d.ts,
  d.island_id,
  d.samples,
  d.ccu_sum,
  fortnite.peak_ccu(d.peak_key) as peak,
  fortnite.peak_at(d.peak_key) as peak_at,
  d.low,
  (d.first_key & 2147483647)::integer as first,
  (d.last_key & 2147483647)::integer as last
from (
  select
    s.ts,
    s.ccu_sum,
    s.peak_key,
    s.first_key,
    s.last_key,
    s.island_id,
    s.samples,
    s.low
  from fortnite.ccu_daily_store as s
  where
    s.ts < (
      select l.refreshed_until from engine.series as l
      where l.relation = 'fortnite.ccu_daily'
    )
  union all
  select
    date_bin('1 day', h.ts, '2000-01-01 00:00:00+00'),
    sum(h.ccu_sum)::bigint,
    max(h.peak_key),
    min(h.first_key),
    max(h.last_key),
    h.island_id,
    sum(h.samples)::integer,
    min(h.low)
  from fortnite.ccu_hourly_packed as h
  where
    h.ts >= (
      select l.refreshed_until from engine.series as l
      where l.relation = 'fortnite.ccu_daily'
    )
  group by date_bin('1 day', h.ts, '2000-01-01 00:00:00+00'), h.island_id
) as d;

comment on view fortnite.ccu_daily is
'CCU by UTC day and island. A sample shows at once while its hour is open, otherwise with the next refresh. '
'An average over several rows is sum(ccu_sum) / sum(samples)';
comment on column fortnite.ccu_daily.ts is 'Start of the day';
comment on column fortnite.ccu_daily.island_id is 'The island';
comment on column fortnite.ccu_daily.samples is 'Number of samples, at most 144';
comment on column fortnite.ccu_daily.ccu_sum is 'Sum of the samples; times 10 it is minutes played';
comment on column fortnite.ccu_daily.peak is 'Highest sample';
comment on column fortnite.ccu_daily.peak_at is 'First cycle that had it';
comment on column fortnite.ccu_daily.low is 'Lowest sample';
comment on column fortnite.ccu_daily.first is 'First sample';
comment on column fortnite.ccu_daily.last is 'Last sample';
