-- requires: engine.make_room
create function fortnite.mend_ccu_hourly() returns timestamptz
language plpgsql
-- Planned with its bounds known, as values: the partitions of other days are neither looked at nor locked.
set plan_cache_mode = force_custom_plan
set jit = off
as $$
declare
  v_hour timestamptz;
  v_end timestamptz;
  v_keys integer[];
  v_kept timestamptz;
begin
  select min(l.ts) into v_hour from engine.late as l where l.relation = 'fortnite.ccu_hourly';
  if v_hour is null then
    return null;
  end if;
  -- What is not in the log yet commits later and stays there; what was in it is seen by the statements after this one.
  with gone as (
    delete from engine.late as l
    where l.relation = 'fortnite.ccu_hourly' and l.ts = v_hour
    returning l.keys
  )
  select array_agg(distinct k.key order by k.key) into v_keys from gone as g cross join unnest(g.keys) as k (key);

  select max(s.kept_from) into v_kept
  from engine.series as s
  where s.relation in ('fortnite.ccu', 'fortnite.ccu_hourly');
  if v_hour < v_kept then
    return v_hour;
  end if;
  v_end := v_hour + interval '1 hour';
  perform engine.make_room('fortnite.ccu_hourly', v_hour);

  delete from fortnite.ccu_hourly_store as h
  where h.ts = v_hour and h.island_id = any(v_keys);

  insert into fortnite.ccu_hourly_store (
    ts, ccu_sum, peak_key, first_key, last_key, island_id, samples, low
  )
  select
    v_hour,
    sum(c.ccu),
    max((c.ccu::bigint << 32) - date_part('epoch', c.ts)::bigint),
    min((date_part('epoch', c.ts)::bigint << 31) + c.ccu),
    max((date_part('epoch', c.ts)::bigint << 31) + c.ccu),
    c.island_id,
    count(*),
    min(c.ccu)
  from generate_series(v_hour, v_hour + interval '50 minutes', interval '10 minutes') as g (ts)
  cross join unnest(v_keys) as k (island_id)
  -- The offset keeps the order of this join: one look-up a sample, however many others the hour has.
  cross join lateral (
    select
      r.ts,
      r.island_id,
      r.ccu
    from fortnite.ccu as r
    where r.ts = g.ts and r.ts >= v_hour and r.ts < v_end and r.island_id = k.island_id
    offset 0
  ) as c
  group by c.island_id
  order by c.island_id;

  insert into engine.late (relation, ts, keys)
  select
    s.relation,
    date_bin(s.bucket, v_hour, '2000-01-01 00:00:00+00'),
    v_keys
  from engine.series as s
  where s.source = 'fortnite.ccu_hourly' and v_hour < s.refreshed_until;
  return v_hour;
end
$$;

comment on function fortnite.mend_ccu_hourly() is
'Recomputes, in the earliest stored hour whose samples changed, the islands that changed, logs its day and '
'gives the hour; null when nothing is late. In one transaction. Only the one who holds the refresh lock may '
'call it.';
