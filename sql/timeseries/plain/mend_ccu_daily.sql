-- requires: engine.make_room
create function fortnite.mend_ccu_daily() returns timestamptz
language plpgsql
-- Planned with its bounds known, as values: the partitions of other days are neither looked at nor locked.
set plan_cache_mode = force_custom_plan
set jit = off
as $$
declare
  v_day timestamptz;
  v_end timestamptz;
  v_keys integer[];
  v_kept timestamptz;
begin
  select min(l.ts) into v_day from engine.late as l where l.relation = 'fortnite.ccu_daily';
  if v_day is null then
    return null;
  end if;
  with gone as (
    delete from engine.late as l
    where l.relation = 'fortnite.ccu_daily' and l.ts = v_day
    returning l.keys
  )
  select array_agg(distinct k.key order by k.key) into v_keys from gone as g cross join unnest(g.keys) as k (key);

  select max(s.kept_from) into v_kept
  from engine.series as s
  where s.relation in ('fortnite.ccu_hourly', 'fortnite.ccu_daily');
  if v_day < v_kept then
    return v_day;
  end if;
  v_end := v_day + interval '24 hours';
  perform engine.make_room('fortnite.ccu_daily', v_day);

  delete from fortnite.ccu_daily_store as d
  where d.ts = v_day and d.island_id = any(v_keys);

  insert into fortnite.ccu_daily_store (
    ts, ccu_sum, peak_key, first_key, last_key, island_id, samples, low
  )
  select
    v_day,
    sum(h.ccu_sum),
    max(h.peak_key),
    min(h.first_key),
    max(h.last_key),
    h.island_id,
    sum(h.samples),
    min(h.low)
  from fortnite.ccu_hourly_store as h
  where h.ts >= v_day and h.ts < v_end and h.island_id = any(v_keys)
  group by h.island_id
  order by h.island_id;
  return v_day;
end
$$;

comment on function fortnite.mend_ccu_daily() is
'Recomputes, in the earliest stored day whose hours changed, the islands that changed, and gives the day; '
'null when nothing is late. In one transaction. Only the one who holds the refresh lock may call it.';
