create view fortnite.ccu_hourly_packed as
select
  h.ts,
  h.ccu_sum,
  h.peak_key,
  h.first_key,
  h.last_key,
  h.island_id,
  h.samples,
  h.low
from fortnite.ccu_hourly_store as h
where
  h.ts < (
    select s.refreshed_until from engine.series as s
    where s.relation = 'fortnite.ccu_hourly'
  )
union all
select
  date_bin('1 hour', c.ts, '2000-01-01 00:00:00+00'),
  sum(c.ccu),
  max((c.ccu::bigint << 32) - date_part('epoch', c.ts)::bigint),
  min((date_part('epoch', c.ts)::bigint << 31) + c.ccu),
  max((date_part('epoch', c.ts)::bigint << 31) + c.ccu),
  c.island_id,
  count(*)::integer,
  min(c.ccu)
from fortnite.ccu as c
where
  c.ts >= (
    select s.refreshed_until from engine.series as s
    where s.relation = 'fortnite.ccu_hourly'
  )
group by date_bin('1 hour', c.ts, '2000-01-01 00:00:00+00'), c.island_id;

comment on view fortnite.ccu_hourly_packed is
'Hours of CCU, the stored ones and those still open, with values and instants packed as in their store';
comment on column fortnite.ccu_hourly_packed.ts is 'Start of the hour';
comment on column fortnite.ccu_hourly_packed.ccu_sum is 'Sum of the samples';
comment on column fortnite.ccu_hourly_packed.peak_key is 'Peak * 2^32 - epoch second of its first instant';
comment on column fortnite.ccu_hourly_packed.first_key is
'Epoch second of the first sample * 2^31 + its value';
comment on column fortnite.ccu_hourly_packed.last_key is 'Epoch second of the last sample * 2^31 + its value';
comment on column fortnite.ccu_hourly_packed.island_id is 'The island';
comment on column fortnite.ccu_hourly_packed.samples is 'Number of samples';
comment on column fortnite.ccu_hourly_packed.low is 'Lowest sample';
