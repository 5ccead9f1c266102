create function fortnite.performance_at(p_at timestamptz, p_ids integer[])
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
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
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
  v_open timestamptz[];
begin
  -- Each instant is read from the coarsest level that has it whole: days, then hours, then samples.
  select greatest(v_30d, least(v_today, s.refreshed_until)) into strict v_days_until
  from engine.series as s
  where s.relation = 'fortnite.ccu_daily';
  select greatest(v_days_until, least(v_hour, s.refreshed_until)) into strict v_hours_until
  from engine.series as s
  where s.relation = 'fortnite.ccu_hourly';
  v_open := array(select generate_series(v_hours_until, p_at, interval '10 minutes'));

  return query
  select
    i.island_id,
    coalesce(h.samples_24h, 0) + coalesce(o.samples_24h, 0),
    coalesce(d.samples_7d, 0) + coalesce(h.samples_7d, 0) + coalesce(o.samples_7d, 0),
    coalesce(d.samples_30d, 0) + coalesce(h.samples_30d, 0) + coalesce(o.samples_30d, 0),
    coalesce(h.sum_24h, 0) + coalesce(o.sum_24h, 0),
    coalesce(d.sum_7d, 0) + coalesce(h.sum_7d, 0) + coalesce(o.sum_7d, 0),
    coalesce(d.sum_30d, 0) + coalesce(h.sum_30d, 0) + coalesce(o.sum_30d, 0),
    greatest((h.peak_24h + 4294967295) >> 32, o.peak_24h)::integer,
    greatest((greatest(d.peak_7d, h.peak_7d) + 4294967295) >> 32, o.peak_7d)::integer,
    greatest((greatest(d.peak_30d, h.peak_30d) + 4294967295) >> 32, o.peak_30d)::integer
  from unnest(p_ids) as i (island_id)
  cross join lateral (
    select
      sum(s.samples) filter (where s.ts >= v_7d) as samples_7d,
      sum(s.samples) as samples_30d,
      sum(s.ccu_sum) filter (where s.ts >= v_7d)::bigint as sum_7d,
      sum(s.ccu_sum)::bigint as sum_30d,
      max(s.peak_key) filter (where s.ts >= v_7d) as peak_7d,
      max(s.peak_key) as peak_30d
    from fortnite.ccu_daily_store as s
    where s.island_id = i.island_id and s.ts >= v_30d and s.ts < v_days_until
  ) as d
  cross join lateral (
    select
      sum(s.samples) filter (where s.ts >= v_24h) as samples_24h,
      sum(s.samples) filter (where s.ts >= v_days_until and s.ts >= v_7d) as samples_7d,
      sum(s.samples) filter (where s.ts >= v_days_until) as samples_30d,
      sum(s.ccu_sum) filter (where s.ts >= v_24h)::bigint as sum_24h,
      sum(s.ccu_sum) filter (where s.ts >= v_days_until and s.ts >= v_7d)::bigint as sum_7d,
      sum(s.ccu_sum) filter (where s.ts >= v_days_until)::bigint as sum_30d,
      max(s.peak_key) filter (where s.ts >= v_24h) as peak_24h,
      max(s.peak_key) filter (where s.ts >= v_days_until and s.ts >= v_7d) as peak_7d,
      max(s.peak_key) filter (where s.ts >= v_days_until) as peak_30d
    from fortnite.ccu_hourly_store as s
    where s.island_id = i.island_id and s.ts >= least(v_24h, v_days_until) and s.ts < v_hours_until
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
    inner join fortnite.ccu as c on t.ts = c.ts and c.island_id = i.island_id
    where c.ts >= v_hours_until
  ) as o;
end
$$;

comment on function fortnite.performance_at(timestamptz, integer[]) is
'Counts, sums and peaks of CCU of islands over 24 hours, 7 and 30 days that end with a cycle. 24 hours are '
'the hour of the cycle and the 23 before it; days are UTC days, its own and those before it.';
