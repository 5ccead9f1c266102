-- requires: engine.discover
create function fortnite.meet_metrics(p_most integer default 20000) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_after integer;
  v_last integer;
  v_seen integer;
  v_ids integer[];
  v_codes text[];
begin
  insert into engine.watermark (name, value)
  values (
    'fortnite.meet_metrics', jsonb_build_object('after', 0, 'since', (now() at time zone 'UTC')::date)
  )
  on conflict (name) do nothing;
  select (w.value ->> 'after')::integer into strict v_after
  from engine.watermark as w
  where w.name = 'fortnite.meet_metrics'
  for no key update;

  with span as materialized (
    select i.island_id, i.code, i.listed_at
    from fortnite.island as i
    where i.island_id > v_after
    order by i.island_id
    limit p_most
  ),

  unmet as (
    select s.island_id, s.code
    from span as s
    left join fortnite.island_metric_state as m on s.island_id = m.island_id
    where s.listed_at is not null and m.island_id is null
  )

  select
    (select count(*) from span),
    (select max(s.island_id) from span as s),
    array_agg(u.island_id order by u.island_id),
    array_agg(u.code order by u.island_id)
  into v_seen, v_last, v_ids, v_codes
  from unmet as u;

  update engine.watermark as w
  set
    value = w.value || jsonb_build_object('after', case when v_seen = p_most then v_last else 0 end),
    moved_at = now()
  where w.name = 'fortnite.meet_metrics';
  if v_ids is null then
    return 0;
  end if;

  insert into fortnite.island_metric_state (island_id, watched_from, read_through)
  select
    u.island_id,
    (now() at time zone 'UTC')::date,
    (now() at time zone 'UTC')::date - 1
  from unnest(v_ids) as u (island_id)
  on conflict do nothing;
  perform engine.discover('fortnite.metrics', v_codes);
  return cardinality(v_ids);
end
$$;

comment on function fortnite.meet_metrics(integer) is
'Puts those of the next so many islands that the public catalogue lists on the schedule for their metrics, where they
are not yet: they are watched from today on. After the last island it begins anew. Gives how many';
