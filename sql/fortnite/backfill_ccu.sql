-- requires: engine.make_room, fortnite.follow_past_ccu, search.mark
create function fortnite.backfill_ccu(p_codes text[], p_nth integer[], p_steps integer[], p_ccu integer[])
returns boolean
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  v_first timestamptz := (select to_timestamp(600 * min(u.step)::bigint) from unnest(p_steps) as u (step));
  v_last timestamptz := (select to_timestamp(600 * max(u.step)::bigint) from unnest(p_steps) as u (step));
  v_known integer[];
  v_ts timestamptz[];
  v_ids integer[];
  v_ccu integer[];
  v_marked integer[];
begin
  if cardinality(p_codes) > 5000 then
    raise exception '% islands are more than the 5,000 one transaction may mark: send them in parts', cardinality(p_codes)
      using errcode = 'invalid_parameter_value';
  end if;
  -- One backfill at a time: two could not both end by having the series alone.
  perform pg_advisory_xact_lock('engine.backfill'::regclass::oid::integer, 0);
  -- The rows go in beside the newest cycle, which waits for none of it; samples that are newer than all go in alone.
  perform engine.lock_series(s.relation, v_last > s.newest) from engine.series as s where s.relation = 'fortnite.ccu';
  if v_first < (select s.floor from engine.series as s where s.relation = 'fortnite.ccu') then
    return false;
  end if;

  select array_agg(i.island_id order by u.nth) into v_known
  from unnest(p_codes) with ordinality as u (code, nth)
  left join fortnite.island as i on u.code = i.code;
  if array_position(v_known, null) is not null then
    raise exception 'island % is not known: add it first', p_codes[array_position(v_known, null)]
      using errcode = 'foreign_key_violation';
  end if;
  select array_agg(d.ts), array_agg(d.island_id), array_agg(d.ccu)
  into v_ts, v_ids, v_ccu
  from (
    select distinct on (s.step, s.island_id)
      to_timestamp(600 * s.step::bigint) as ts,
      s.island_id,
      s.ccu
    from (
      select
        u.step,
        v_known[u.nth] as island_id,
        u.ccu,
        u.line
      from unnest(p_steps, p_nth, p_ccu) with ordinality as u (step, nth, ccu, line)
    ) as s
    order by s.step, s.island_id, s.line desc
  ) as d;

  perform engine.make_room('fortnite.ccu', d.ts)
  from (
    select distinct date_bin('1 day', u.ts, '2000-01-01 00:00:00+00') as ts from unnest(v_ts) as u (ts)
  ) as d
  order by d.ts;
  insert into fortnite.ccu as c (ts, island_id, ccu)
  select
    u.ts,
    u.island_id,
    u.ccu
  from unnest(v_ts, v_ids, v_ccu) as u (ts, island_id, ccu)
  on conflict (ts, island_id) do update
    set ccu = excluded.ccu
    where c.ccu <> excluded.ccu;

  -- Alone, as what is the latest sample is known only when no newer one is in flight.
  perform engine.lock_series('fortnite.ccu', true);
  update engine.series as s set newest = v_last where s.relation = 'fortnite.ccu' and s.newest < v_last;
  v_marked := fortnite.follow_past_ccu(v_ts, v_ids, v_ccu);
  if v_marked is not null then
    perform search.mark('island', array(
      select u.code
      from unnest(p_codes, v_known) as u (code, island_id)
      where u.island_id = any(v_marked)
    ));
  end if;
  return true;
end
$$;

comment on function fortnite.backfill_ccu(text[], integer[], integer[], integer[]) is
'Stores samples of any instants: of at most 5,000 known islands, each sample a place in the array of codes, a '
'ten-minute step since 1970 and a count; of two for one instant the later one counts. Roll-ups, latest CCU, '
'records and marks follow. Stores nothing and gives false when one is older than the floor of the series. '
'The newest cycle waits for it only while records are followed. Repeating it changes nothing.';
