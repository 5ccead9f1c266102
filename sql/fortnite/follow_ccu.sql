-- requires: fortnite.ccu_moved
create function fortnite.follow_ccu(p_ts timestamptz, p_ids integer[], p_ccu integer[])
returns integer[]
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  v_new integer[];
  v_new_ccu integer[];
  v_changed integer[];
  v_changed_ccu integer[];
  v_moved integer[];
begin
  select
    array_agg(u.island_id) filter (where n.island_id is null),
    array_agg(u.ccu) filter (where n.island_id is null),
    array_agg(u.island_id) filter (where n.ccu <> u.ccu),
    array_agg(u.ccu) filter (where n.ccu <> u.ccu),
    array_agg(u.island_id) filter (where fortnite.ccu_moved(n.marked_ccu, u.ccu) or u.ccu > n.record_ccu)
  into v_new, v_new_ccu, v_changed, v_changed_ccu, v_moved
  from unnest(p_ids, p_ccu) as u (island_id, ccu)
  left join fortnite.island_now as n on u.island_id = n.island_id
  where n.island_id is null or n.ccu <> u.ccu;

  if v_new is not null then
    insert into fortnite.island_now as n (island_id, ts, recorded_at, since, marked_at, ccu, marked_ccu, record_ccu)
    select
      u.island_id,
      p_ts,
      p_ts,
      p_ts,
      p_ts,
      u.ccu,
      u.ccu,
      u.ccu
    from unnest(v_new, v_new_ccu) as u (island_id, ccu)
    on conflict (island_id) do update
      set
        ccu = excluded.ccu,
        record_ccu = greatest(n.record_ccu, excluded.record_ccu);
  end if;

  update fortnite.island_now as n
  set
    ts = p_ts,
    ccu = u.ccu,
    marked_at = case
      when fortnite.ccu_moved(n.marked_ccu, u.ccu) or u.ccu > n.record_ccu then p_ts
      else n.marked_at
    end,
    marked_ccu = case
      when fortnite.ccu_moved(n.marked_ccu, u.ccu) or u.ccu > n.record_ccu then u.ccu
      else n.marked_ccu
    end,
    record_ccu = greatest(n.record_ccu, u.ccu),
    recorded_at = case when u.ccu > n.record_ccu then p_ts else n.recorded_at end
  from unnest(v_changed, v_changed_ccu) as u (island_id, ccu)
  where n.island_id = u.island_id;
  return v_new || v_moved;
end
$$;

comment on function fortnite.follow_ccu(timestamptz, integer[], integer[]) is
'Brings islands to their samples of the newest cycle: latest CCU and record, rows that changed alone, '
'locked in the order given. Gives the islands whose documents are to be marked: those new, those whose count '
'moved enough, those with a new record.';
