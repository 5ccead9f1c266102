create function fortnite.performance_parts(p_at timestamptz, p_low integer, p_high integer)
returns table (
  island_id integer,
  samples_24h integer,
  samples_7d integer,
  samples_30d integer,
  sum_24h bigint,
  sum_7d bigint,
  sum_30d bigint,
  peak_24h integer,
  peak_7d integer,
  peak_30d integer
)
language plpgsql stable
set jit = off
as $$
declare
  v_hour timestamptz := date_bin('1 hour', p_at, '2000-01-01 00:00:00+00');
  v_24h timestamptz := v_hour - interval '23 hours';
  v_today timestamptz := date_bin('1 day', p_at, '2000-01-01 00:00:00+00');
  v_7d timestamptz := v_today - interval '6 days';
  v_30d timestamptz := v_today - interval '29 days';
  v_days_until timestamptz;
  v_hours_until timestamptz;
begin
  -- Each instant is read from the coarsest level that has it whole: days, then hours, then samples.
  select greatest(v_30d, least(v_today, s.refreshed_until)) into strict v_days_until
  from engine.series as s
  where s.relation = 'fortnite.ccu_daily';
  select greatest(v_days_until, least(v_hour, s.refreshed_until)) into strict v_hours_until
  from engine.series as s
  where s.relation = 'fortnite.ccu_hourly';

  return query
  with part as (
    select
      d.island_id,
      false as is_24h,
      d.ts >= v_7d as is_7d,
      true as is_30d,
      d.samples,
      d.ccu_sum,
      d.peak_key
    from fortnite.ccu_daily_store as d
    where d.island_id between p_low and p_high and d.ts >= v_30d and d.ts < v_days_until
    union all
    select
      h.island_id,
      h.ts >= v_24h,
      h.ts >= v_7d and h.ts >= v_days_until,
      h.ts >= v_days_until,
      h.samples,
      h.ccu_sum,
      h.peak_key
    from fortnite.ccu_hourly_store as h
    where
      h.island_id between p_low and p_high
      and h.ts >= least(v_24h, v_days_until)
      and h.ts < v_hours_until
    union all
    select
      c.island_id,
      c.ts >= v_24h,
      c.ts >= v_7d,
      true,
      1,
      c.ccu,
      c.ccu::bigint << 32
    from generate_series(v_hours_until, p_at, interval '10 minutes') as i (ts)
    inner join fortnite.ccu as c on i.ts = c.ts
    where c.island_id between p_low and p_high and c.ts >= v_hours_until
  )

  select
    p.island_id,
    sum(p.samples) filter (where p.is_24h)::integer,
    sum(p.samples) filter (where p.is_7d)::integer,
    sum(p.samples) filter (where p.is_30d)::integer,
    sum(p.ccu_sum) filter (where p.is_24h)::bigint,
    sum(p.ccu_sum) filter (where p.is_7d)::bigint,
    sum(p.ccu_sum) filter (where p.is_30d)::bigint,
    (max(p.peak_key) filter (where p.is_24h) + 4294967295 >> 32)::integer,
    (max(p.peak_key) filter (where p.is_7d) + 4294967295 >> 32)::integer,
    (max(p.peak_key) filter (where p.is_30d) + 4294967295 >> 32)::integer
  from part as p
  group by p.island_id;
end
$$;

comment on function fortnite.performance_parts(timestamptz, integer, integer) is
'Counts, sums and peaks of CCU for a range of islands over 24 hours, 7 and 30 days that end with a cycle. '
'24 hours are the hour of the cycle and the 23 before it; days are UTC days, its own and those before it.';
