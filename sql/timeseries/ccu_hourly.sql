-- requires: fortnite.ccu_hourly_packed, fortnite.peak_ccu, fortnite.peak_at
create view fortnite.ccu_hourly as
select
  h.ts,
  h.island_id,
  h.samples,
  h.ccu_sum,
  fortnite.peak_ccu(h.peak_key) as peak,
  fortnite.peak_at(h.peak_key) as peak_at,
  h.low,
  (h.first_key & 2147483647)::integer as first,
  (h.last_key & 2147483647)::integer as last
from fortnite.ccu_hourly_packed as h;

comment on view fortnite.ccu_hourly is
'CCU by hour and island. A sample shows at once while its hour is open, otherwise with the next refresh. An '
'average over several rows is sum(ccu_sum) / sum(samples)';
comment on column fortnite.ccu_hourly.ts is 'Start of the hour';
comment on column fortnite.ccu_hourly.island_id is 'The island';
comment on column fortnite.ccu_hourly.samples is 'Number of samples, at most 6';
comment on column fortnite.ccu_hourly.ccu_sum is 'Sum of the samples; times 10 it is minutes played';
comment on column fortnite.ccu_hourly.peak is 'Highest sample';
comment on column fortnite.ccu_hourly.peak_at is 'First cycle that had it';
comment on column fortnite.ccu_hourly.low is 'Lowest sample';
comment on column fortnite.ccu_hourly.first is 'First sample';
comment on column fortnite.ccu_hourly.last is 'Last sample';
