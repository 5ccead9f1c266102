-- requires: fortnite.enter_ccu, fortnite.reject_ccu, fortnite.ensure_island, search.mark
-- requires: fortnite.follow_ccu, fortnite.follow_past_ccu
create function fortnite.store_ccu(p_ts timestamptz, p_source text, p_codes text[], p_ccu integer[])
returns table (stored integer, skipped integer, discovered integer)
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  v_ids integer[];
  v_ccu integer[];
  v_codes text[];
  v_unknown text[];
  v_kind text;
  v_marked integer[];
begin
  if cardinality(p_codes) <> cardinality(p_ccu) then
    raise exception '% codes but % values: give one value a code', cardinality(p_codes), cardinality(p_ccu)
      using errcode = 'array_subscript_error';
  end if;
  if cardinality(p_codes) > 5000 then
    raise exception '% codes are more than the 5,000 one transaction may store: send them in parts', cardinality(p_codes)
      using errcode = 'invalid_parameter_value';
  end if;
  discovered := 0;
  loop
    select
      array_agg(s.island_id) filter (where s.island_id is not null),
      array_agg(s.ccu) filter (where s.island_id is not null),
      array_agg(s.code) filter (where s.island_id is not null),
      array_agg(s.code) filter (where s.island_id is null)
    into v_ids, v_ccu, v_codes, v_unknown
    from (
      select distinct on (i.island_id, u.code)
        i.island_id,
        u.code,
        u.ccu
      from unnest(p_codes, p_ccu) with ordinality as u (code, ccu, nth)
      left join fortnite.island as i on u.code = i.code
      where u.ccu >= 0 and u.code is not null
      order by i.island_id, u.code, u.nth desc
    ) as s;
    exit when v_unknown is null;
    discovered := discovered + cardinality(v_unknown);
    perform e.island_id from fortnite.ensure_island(v_unknown, p_source, p_ts) as e;
  end loop;

  skipped := (select count(*) from unnest(p_ccu) as u (ccu) where u.ccu < 0 or u.ccu is null);
  v_kind := fortnite.enter_ccu(p_ts);
  if v_kind = 'refused' then
    perform fortnite.reject_ccu(p_ts, s.floor, v_codes, v_ccu)
    from engine.series as s
    where s.relation = 'fortnite.ccu';
    stored := 0;
    return next;
    return;
  end if;

  begin
    insert into fortnite.ccu (ts, island_id, ccu)
    select
      p_ts,
      u.island_id,
      u.ccu
    from unnest(v_ids, v_ccu) as u (island_id, ccu);
  exception when unique_violation then
    -- The cycle is repeated. That is rare, and expecting it would cost every other cycle a third more.
    insert into fortnite.ccu as c (ts, island_id, ccu)
    select
      p_ts,
      u.island_id,
      u.ccu
    from unnest(v_ids, v_ccu) as u (island_id, ccu)
    on conflict (ts, island_id) do update
      set ccu = excluded.ccu
      where c.ccu <> excluded.ccu;
  end;

  if v_kind = 'newest' then
    v_marked := fortnite.follow_ccu(p_ts, v_ids, v_ccu);
  else
    v_marked := fortnite.follow_past_ccu(
      array_fill(p_ts, array[coalesce(cardinality(v_ids), 0)]), v_ids, v_ccu
    );
  end if;

  stored := coalesce(cardinality(v_ids), 0);
  insert into fortnite.ccu_batch as b (ts, source, batch, observed, negative)
  values (p_ts, p_source, hash_array_extended(p_codes, 0), stored, skipped)
  on conflict (ts, source, batch) do update
    set
      observed = excluded.observed,
      negative = excluded.negative;

  if v_marked is not null then
    perform search.mark('island', array(
      select u.code
      from unnest(v_ids, v_codes) as u (island_id, code)
      where u.island_id = any(v_marked)
    ));
  end if;
  return next;
end
$$;

comment on function fortnite.store_ccu(timestamptz, text, text[], integer[]) is
'Stores a batch of samples of one cycle: at most 5,000 islands, one value each. A value below zero or '
'absent is no sample: counted as skipped; zero is one. Unknown islands are added with their source, to be '
'crawled first. Latest CCU and records follow; documents whose CCU moved enough are marked. Samples before '
'the floor of the series go to raw.rejected. Repeating a batch overwrites it.';
