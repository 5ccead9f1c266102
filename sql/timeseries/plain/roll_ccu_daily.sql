-- requires: engine.make_room
create function fortnite.roll_ccu_daily() returns timestamptz
language plpgsql
set jit = off
as $$
declare
  v_series engine.series;
  v_day timestamptz;
begin
  select s.* into strict v_series from engine.series as s where s.relation = 'fortnite.ccu_daily';
  if v_series.refreshed_until >= v_series.closing_until then
    return null;
  end if;
  select date_bin('1 day', min(h.ts), '2000-01-01 00:00:00+00') into v_day
  from fortnite.ccu_hourly_store as h
  where
    h.ts >= greatest(
      v_series.refreshed_until,
      (select s.kept_from from engine.series as s where s.relation = v_series.source)
    )
    and h.ts < v_series.closing_until;

  if v_day is not null then
    perform engine.make_room(v_series.relation, v_day);
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
    where h.ts >= v_day and h.ts < v_day + interval '1 day'
    group by h.island_id
    order by h.island_id;
  end if;

  update engine.series as s
  set
    revision = s.revision + (v_day is not null)::integer,
    refreshed_until = coalesce(v_day + interval '1 day', s.closing_until)
  where s.relation = v_series.relation and s.refreshed_until < s.closing_until;
  return v_day;
end
$$;

comment on function fortnite.roll_ccu_daily() is
'Stores the next closed day of CCU from its hours, and gives it; null when none is left. In one '
'transaction. Only the one who holds the refresh lock may call it.';
