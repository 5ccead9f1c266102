-- requires: fortnite.peak_ccu
create function fortnite.sum_days(
  p_at timestamptz,
  p_ids integer[],
  p_until timestamptz,
  p_revision bigint
)
returns void
language plpgsql
-- Planned with its instants known: which partitions it reads is decided once, not for every island.
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_today timestamptz := date_bin('1 day', p_at, '2000-01-01 00:00:00+00');
  v_7d timestamptz := v_today - interval '6 days';
  v_30d timestamptz := v_today - interval '29 days';
begin
  -- Either these days are summed up before one of them is corrected, and then forgotten, or after it.
  perform engine.lock_series('fortnite.ccu_daily', false);
  insert into fortnite.island_days (
    island_id, today, samples_7d, samples_30d, peak_7d, peak_30d, sum_7d, sum_30d, revision
  )
  select
    i.island_id,
    (v_today at time zone 'UTC')::date,
    coalesce(s.samples_7d, 0),
    coalesce(s.samples_30d, 0),
    fortnite.peak_ccu(s.peak_7d),
    fortnite.peak_ccu(s.peak_30d),
    coalesce(s.sum_7d, 0),
    coalesce(s.sum_30d, 0),
    p_revision
  from unnest(p_ids) as i (island_id)
  left join fortnite.island_days as d on i.island_id = d.island_id
  cross join lateral (
    select
      sum(r.samples) filter (where r.ts >= v_7d) as samples_7d,
      sum(r.samples) as samples_30d,
      max(r.peak_key) filter (where r.ts >= v_7d) as peak_7d,
      max(r.peak_key) as peak_30d,
      sum(r.ccu_sum) filter (where r.ts >= v_7d) as sum_7d,
      sum(r.ccu_sum) as sum_30d
    from fortnite.ccu_daily_store as r
    where r.island_id = i.island_id and r.ts >= v_30d and r.ts < p_until
  ) as s
  where (d.today, d.revision) is distinct from ((v_today at time zone 'UTC')::date, p_revision)
  order by i.island_id
  on conflict (island_id) do update
    set
      today = excluded.today,
      samples_7d = excluded.samples_7d,
      samples_30d = excluded.samples_30d,
      peak_7d = excluded.peak_7d,
      peak_30d = excluded.peak_30d,
      sum_7d = excluded.sum_7d,
      sum_30d = excluded.sum_30d,
      revision = excluded.revision;
end
$$;

comment on function fortnite.sum_days(timestamptz, integer[], timestamptz, bigint) is
'Brings the summed-up days before that of a cycle up to date for some islands: computed once a day, and '
'again when another day was stored, which its revision tells, or one of theirs was corrected, which deleted them.';
