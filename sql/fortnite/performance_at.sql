-- requires: fortnite.peak_ccu
create function fortnite.performance_at(
  p_at timestamptz,
  p_ids integer[],
  p_days_until timestamptz,
  p_hours_until timestamptz
)
returns table (
  island_id integer,
  samples_24h bigint,
  samples_7d bigint,
  samples_30d bigint,
  sum_24h bigint,
  sum_7d bigint,
  sum_30d bigint,
  peak_24h integer,
  peak_7d integer,
  peak_30d integer
)
language plpgsql stable
-- Planned with its instants known: which partitions it reads is decided once, not for every island.
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_24h timestamptz := date_bin('1 hour', p_at, '2000-01-01 00:00:00+00') - interval '23 hours';
  v_7d timestamptz := date_bin('1 day', p_at, '2000-01-01 00:00:00+00') - interval '6 days';
  v_open timestamptz[] := array(select generate_series(p_hours_until, p_at, interval '10 minutes'));
begin
  return query
  select
    i.island_id,
    coalesce(h.samples_24h, 0) + coalesce(o.samples_24h, 0),
    coalesce(d.samples_7d, 0) + coalesce(h.samples_7d, 0) + coalesce(o.samples_7d, 0),
    coalesce(d.samples_30d, 0) + coalesce(h.samples_30d, 0) + coalesce(o.samples_30d, 0),
    coalesce(h.sum_24h, 0) + coalesce(o.sum_24h, 0),
    coalesce(d.sum_7d, 0) + coalesce(h.sum_7d, 0) + coalesce(o.sum_7d, 0),
    coalesce(d.sum_30d, 0) + coalesce(h.sum_30d, 0) + coalesce(o.sum_30d, 0),
    greatest(fortnite.peak_ccu(h.peak_24h), o.peak_24h),
    greatest(d.peak_7d, fortnite.peak_ccu(h.peak_7d), o.peak_7d),
    greatest(d.peak_30d, fortnite.peak_ccu(h.peak_30d), o.peak_30d)
  from unnest(p_ids) as i (island_id)
  left join fortnite.island_days as d on i.island_id = d.island_id
  cross join lateral (
    select
      sum(s.samples) filter (where s.ts >= v_24h) as samples_24h,
      sum(s.samples) filter (where s.ts >= p_days_until and s.ts >= v_7d) as samples_7d,
      sum(s.samples) filter (where s.ts >= p_days_until) as samples_30d,
      sum(s.ccu_sum) filter (where s.ts >= v_24h)::bigint as sum_24h,
      sum(s.ccu_sum) filter (where s.ts >= p_days_until and s.ts >= v_7d)::bigint as sum_7d,
      sum(s.ccu_sum) filter (where s.ts >= p_days_until)::bigint as sum_30d,
      max(s.peak_key) filter (where s.ts >= v_24h) as peak_24h,
      max(s.peak_key) filter (where s.ts >= p_days_until and s.ts >= v_7d) as peak_7d,
      max(s.peak_key) filter (where s.ts >= p_days_until) as peak_30d
    from fortnite.ccu_hourly_store as s
    where s.island_id = i.island_id and s.ts >= least(v_24h, p_days_until) and s.ts < p_hours_until
  ) as h
  cross join lateral (
    select
      count(*) filter (where c.ts >= v_24h) as samples_24h,
      count(*) filter (where c.ts >= v_7d) as samples_7d,
      count(*) as samples_30d,
      sum(c.ccu) filter (where c.ts >= v_24h) as sum_24h,
      sum(c.ccu) filter (where c.ts >= v_7d) as sum_7d,
      sum(c.ccu) as sum_30d,
      max(c.ccu) filter (where c.ts >= v_24h) as peak_24h,
      max(c.ccu) filter (where c.ts >= v_7d) as peak_7d,
      max(c.ccu) as peak_30d
    from unnest(v_open) as t (ts)
    -- The offset keeps the order of this join: one look-up an instant, never a walk through all of them.
    cross join lateral (
      select
        r.ts,
        r.ccu
      from fortnite.ccu as r
      where r.ts = t.ts and r.ts >= p_hours_until and r.island_id = i.island_id
      offset 0
    ) as c
  ) as o;
end
$$;

comment on function fortnite.performance_at(timestamptz, integer[], timestamptz, timestamptz) is
'Counts, sums and peaks of CCU of islands over 24 hours, 7 and 30 days that end with a cycle. 24 hours are '
'the hour of the cycle and the 23 before it; days are UTC days, its own and those before it. Each instant '
'is read from the coarsest level that has it whole: summed-up days until the first bound, hours until the '
'second, then samples.';
