-- requires: engine.make_room
create function fortnite.roll_ccu_hourly() returns timestamptz
language plpgsql
-- Its cycles lie in the order of the islands: merged, they need neither a hash table nor a sort.
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashagg = off
set jit = off
as $$
declare
  v_series engine.series;
  v_hour timestamptz;
  v_epoch bigint;
  v_steps timestamptz[];
begin
  select s.* into strict v_series from engine.series as s where s.relation = 'fortnite.ccu_hourly';
  if v_series.refreshed_until >= v_series.closing_until then
    return null;
  end if;
  select date_bin('1 hour', min(c.ts), '2000-01-01 00:00:00+00') into v_hour
  from fortnite.ccu as c
  where
    c.ts >= greatest(
      v_series.refreshed_until,
      (select s.kept_from from engine.series as s where s.relation = v_series.source)
    )
    and c.ts < v_series.closing_until;

  if v_hour is not null then
    perform engine.make_room(v_series.relation, v_hour);
    v_epoch := date_part('epoch', v_hour);
    v_steps := array(select generate_series(v_hour, v_hour + interval '50 minutes', interval '10 minutes'));
    insert into fortnite.ccu_hourly_store (
      ts, ccu_sum, peak_key, first_key, last_key, island_id, samples, low
    )
    select
      v_hour,
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
  end if;

  update engine.series as s
  set
    revision = s.revision + (v_hour is not null)::integer,
    refreshed_until = coalesce(v_hour + interval '1 hour', s.closing_until)
  where s.relation = v_series.relation and s.refreshed_until < s.closing_until;
  return v_hour;
end
$$;

comment on function fortnite.roll_ccu_hourly() is
'Stores the next closed hour of CCU that has samples, and gives it; null when none is left. In one '
'transaction. Only the one who holds the refresh lock may call it.';
