-- requires: fortnite.sum_days, fortnite.performance_at, fortnite.ccu_steps, fortnite.average_moved, search.mark
create function fortnite.compute_performance(p_at timestamptz, p_ids integer[])
returns integer
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_24h timestamptz := date_bin('1 hour', p_at, '2000-01-01 00:00:00+00') - interval '23 hours';
  v_7d timestamptz := date_bin('1 day', p_at, '2000-01-01 00:00:00+00') - interval '6 days';
  v_30d timestamptz := date_bin('1 day', p_at, '2000-01-01 00:00:00+00') - interval '29 days';
  v_days_until timestamptz;
  v_hours_until timestamptz;
  v_revision bigint;
  v_changed integer;
  v_told integer[];
begin
  if cardinality(p_ids) > 5000 then
    raise exception '% islands are more than the 5,000 one transaction may mark', cardinality(p_ids)
      using errcode = 'invalid_parameter_value';
  end if;

  -- Read once: what is stored meanwhile is read from the level below, where it still is.
  select
    greatest(v_30d, least(v_30d + interval '29 days', d.refreshed_until)),
    d.revision,
    h.refreshed_until
  into strict v_days_until, v_revision, v_hours_until
  from engine.series as d
  inner join engine.series as h on d.source = h.relation
  where d.relation = 'fortnite.ccu_daily';
  -- Before the first refresh everything is open: no look-ups before the first sample.
  v_hours_until := greatest(v_hours_until, (
    select date_bin('1 hour', min(c.ts), '2000-01-01 00:00:00+00') from fortnite.ccu as c
  ));
  v_hours_until := greatest(v_days_until, least(v_24h + interval '23 hours', v_hours_until));
  perform fortnite.sum_days(p_at, p_ids, v_days_until, v_revision);

  with fresh as (
    select
      p.island_id,
      p.peak_24h,
      p.peak_7d,
      p.peak_30d,
      case when p.samples_24h > 0 then p.sum_24h * 10 end as minutes_24h,
      case when p.samples_7d > 0 then p.sum_7d * 10 end as minutes_7d,
      case when p.samples_30d > 0 then p.sum_30d * 10 end as minutes_30d,
      (p.sum_24h::double precision / nullif(p.samples_24h, 0))::real as avg_24h,
      (p.sum_7d::double precision / nullif(p.samples_7d, 0))::real as avg_7d,
      (p.sum_30d::double precision / nullif(p.samples_30d, 0))::real as avg_30d,
      (p.samples_24h / fortnite.ccu_steps(greatest(n.since, v_24h), p_at))::real as coverage_24h,
      (p.samples_7d / fortnite.ccu_steps(greatest(n.since, v_7d), p_at))::real as coverage_7d,
      (p.samples_30d / fortnite.ccu_steps(greatest(n.since, v_30d), p_at))::real as coverage_30d
    from fortnite.performance_at(p_at, p_ids, v_days_until, v_hours_until) as p
    left join fortnite.island_now as n on p.island_id = n.island_id
  ),

  compared as materialized (
    select
      f.*,
      o.marked_minutes_24h,
      o.marked_24h,
      o.marked_7d,
      o.marked_30d,
      (f.peak_24h, f.peak_7d, f.peak_30d) is distinct from (o.peak_24h, o.peak_7d, o.peak_30d)
      or fortnite.average_moved(o.marked_24h, f.avg_24h)
      or fortnite.average_moved(o.marked_7d, f.avg_7d)
      or fortnite.average_moved(o.marked_30d, f.avg_30d) as moved
    from fresh as f
    left join fortnite.island_performance as o on f.island_id = o.island_id
    where
      o.computed_at is null
      or date_trunc('day', o.computed_at) <> date_trunc('day', p_at)
      or (
        f.minutes_24h, f.minutes_7d, f.minutes_30d, f.avg_24h, f.avg_7d, f.avg_30d,
        f.coverage_24h, f.coverage_7d, f.coverage_30d, f.peak_24h, f.peak_7d, f.peak_30d
      ) is distinct from (
        o.minutes_24h, o.minutes_7d, o.minutes_30d, o.avg_24h, o.avg_7d, o.avg_30d,
        o.coverage_24h, o.coverage_7d, o.coverage_30d, o.peak_24h, o.peak_7d, o.peak_30d
      )
  ),

  written as (
    insert into fortnite.island_performance (
      island_id, computed_at,
      minutes_24h, minutes_7d, minutes_30d, avg_24h, avg_7d, avg_30d,
      coverage_24h, coverage_7d, coverage_30d, marked_minutes_24h, marked_24h, marked_7d, marked_30d,
      peak_24h, peak_7d, peak_30d
    )
    select
      c.island_id,
      p_at,
      c.minutes_24h,
      c.minutes_7d,
      c.minutes_30d,
      c.avg_24h,
      c.avg_7d,
      c.avg_30d,
      c.coverage_24h,
      c.coverage_7d,
      c.coverage_30d,
      case when c.moved then c.minutes_24h else c.marked_minutes_24h end,
      case when c.moved then c.avg_24h else c.marked_24h end,
      case when c.moved then c.avg_7d else c.marked_7d end,
      case when c.moved then c.avg_30d else c.marked_30d end,
      c.peak_24h,
      c.peak_7d,
      c.peak_30d
    from compared as c
    order by c.island_id
    on conflict (island_id) do update
      set
        computed_at = excluded.computed_at,
        minutes_24h = excluded.minutes_24h,
        minutes_7d = excluded.minutes_7d,
        minutes_30d = excluded.minutes_30d,
        avg_24h = excluded.avg_24h,
        avg_7d = excluded.avg_7d,
        avg_30d = excluded.avg_30d,
        coverage_24h = excluded.coverage_24h,
        coverage_7d = excluded.coverage_7d,
        coverage_30d = excluded.coverage_30d,
        marked_minutes_24h = excluded.marked_minutes_24h,
        marked_24h = excluded.marked_24h,
        marked_7d = excluded.marked_7d,
        marked_30d = excluded.marked_30d,
        peak_24h = excluded.peak_24h,
        peak_7d = excluded.peak_7d,
        peak_30d = excluded.peak_30d
  )

  select
    count(*),
    array_agg(c.island_id) filter (where c.moved)
  into v_changed, v_told
  from compared as c;

  perform search.mark('island', array(
    select i.code from fortnite.island as i where i.island_id = any(v_told)
  ));
  return v_changed;
end
$$;

comment on function fortnite.compute_performance(timestamptz, integer[]) is
'Computes the performance of at most 5,000 islands up to a cycle: writes the rows that changed and those '
'last looked at on another day, marks the documents of those that moved enough. Gives how many rows were '
'written. Coverage is the share of ten-minute steps that have a sample, from the first sample of the island '
'on: an hour in which nobody sampled lowers it. Safe to repeat.';
