create function raw.replay(
  p_resources text[],
  p_applies text[],
  p_reset text,
  p_after text,
  p_n integer
)
returns table (last text, entities integer, versions integer)
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
set work_mem = '64MB'
as $$
declare
  v_keys text[];
  v_wave record;
begin
  select array_agg(k.key order by k.key)
  into v_keys
  from (
    select c.key
    from engine.crawl as c
    where c.resource = any(p_resources) and c.key > p_after and c.version > 0
    group by c.key
    order by c.key
    limit p_n
  ) as k;
  entities := coalesce(cardinality(v_keys), 0);
  versions := 0;
  if entities = 0 then
    return next;
    return;
  end if;
  last := v_keys[entities];

  -- Landing locks these rows too: for these keys nothing lands until the chunk is whole again.
  perform
  from engine.crawl as c
  where c.resource = any(p_resources) and c.key = any(v_keys)
  order by c.key, c.resource
  for no key update;

  execute format('select %s($1)', p_reset::regproc) using v_keys;

  -- A wave has one version of each key at most; in the order of waves each key's versions are in theirs.
  for v_wave in
    select
      d.wave,
      d.apply,
      array_agg(d.key order by d.key) as keys,
      array_agg(d.fetched_at order by d.key) as instants,
      array_agg(d.body order by d.key) as bodies,
      d.resource
    from (
      select
        r.resource,
        r.apply,
        v.key,
        v.fetched_at,
        v.body,
        row_number() over (partition by v.key order by v.fetched_at, r.resource, v.version) as wave
      from unnest(p_resources, p_applies) as r (resource, apply)
      inner join raw.document as v on r.resource = v.resource
      where v.key = any(v_keys)
    ) as d
    group by d.wave, d.resource, d.apply
    order by d.wave, d.resource
  loop
    execute format('select %s($1, $2, $3, $4)', v_wave.apply::regproc)
    using v_wave.resource, v_wave.instants, v_wave.keys, v_wave.bodies;
    versions := versions + cardinality(v_wave.keys);
  end loop;

  -- What an earlier replay could not do is done.
  update raw.rejected as r
  set replayed_at = now()
  where r.resource = any(p_resources) and r.key = any(v_keys) and r.body is null and r.replayed_at is null;
  return next;
end
$$;

comment on function raw.replay(text[], text[], text, text, integer) is
'Rebuilds, in one transaction, what the next so many keys after a key have in the table that these resources feed: '
'empties it through the reset function, then applies their versions wave by wave in the order they were fetched. Gives '
'the last key (null: none was left), how many keys, how many versions. Run again it gives the same rows';
