-- requires: engine.settle_bucket
create function fortnite.roll_ccu_hourly(p_hour timestamptz) returns void
language plpgsql
-- Its cycles lie in the order of the islands: merged, they need neither a hash table nor a sort.
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashagg = off
set jit = off
as $$
declare
  v_epoch bigint := date_part('epoch', p_hour);
  v_steps timestamptz[] := array(
    select generate_series(p_hour, p_hour + interval '50 minutes', interval '10 minutes')
  );
begin
  insert into fortnite.ccu_hourly_store (
    ts, ccu_sum, peak_key, first_key, last_key, island_id, samples, low
  )
  select
    p_hour,
    sum(c.ccu),
    max((c.ccu::bigint << 32) - c.epoch),
    min((c.epoch << 31) + c.ccu),
    max((c.epoch << 31) + c.ccu),
    c.island_id,
    count(*),
    min(c.ccu)
  from (
    (
      select
        r.island_id,
        r.ccu,
        v_epoch + 0 as epoch
      from fortnite.ccu as r
      where r.ts = v_steps[1]
      order by r.island_id
    )
    union all
    (
      select
        r.island_id,
        r.ccu,
        v_epoch + 600 as epoch
      from fortnite.ccu as r
      where r.ts = v_steps[2]
      order by r.island_id
    )
    union all
    (
      select
        r.island_id,
        r.ccu,
        v_epoch + 1200 as epoch
      from fortnite.ccu as r
      where r.ts = v_steps[3]
      order by r.island_id
    )
    union all
    (
      select
        r.island_id,
        r.ccu,
        v_epoch + 1800 as epoch
      from fortnite.ccu as r
      where r.ts = v_steps[4]
      order by r.island_id
    )
    union all
    (
      select
        r.island_id,
        r.ccu,
        v_epoch + 2400 as epoch
      from fortnite.ccu as r
      where r.ts = v_steps[5]
      order by r.island_id
    )
    union all
    (
      select
        r.island_id,
        r.ccu,
        v_epoch + 3000 as epoch
      from fortnite.ccu as r
      where r.ts = v_steps[6]
      order by r.island_id
    )
  ) as c
  group by c.island_id
  order by c.island_id;

  perform engine.settle_bucket('fortnite.ccu_hourly', p_hour);
end
$$;

comment on function fortnite.roll_ccu_hourly(timestamptz) is
'Stores the next closed hour of CCU, as engine.next_bucket gives it, and says so, in one transaction. There '
'must be room for it. Only the one who holds the refresh lock may call it.';
