-- requires: engine.settle_bucket
create function fortnite.roll_ccu_daily(p_day timestamptz) returns void
language plpgsql
set plan_cache_mode = force_custom_plan
set jit = off
as $$
declare
  v_end timestamptz := p_day + interval '24 hours';
begin
  insert into fortnite.ccu_daily_store (
    ts, ccu_sum, peak_key, first_key, last_key, island_id, samples, low
  )
  select
    p_day,
    sum(h.ccu_sum),
    max(h.peak_key),
    min(h.first_key),
    max(h.last_key),
    h.island_id,
    sum(h.samples),
    min(h.low)
  from fortnite.ccu_hourly_store as h
  where h.ts >= p_day and h.ts < v_end
  group by h.island_id
  order by h.island_id;

  perform engine.settle_bucket('fortnite.ccu_daily', p_day);
end
$$;

comment on function fortnite.roll_ccu_daily(timestamptz) is
'Stores the next closed day of CCU, as engine.next_bucket gives it, and says so, in one transaction. There '
'must be room for it. Only the one who holds the refresh lock may call it.';
