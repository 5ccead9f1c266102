-- requires: engine.discover
create function fortnite.meet_creators(p_most integer default 50000) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_after text;
  v_last text;
  v_seen integer;
  v_new text[];
begin
  insert into engine.watermark (name, value)
  values ('fortnite.meet_creators', '{"after": ""}')
  on conflict (name) do nothing;
  select w.value ->> 'after' into strict v_after
  from engine.watermark as w
  where w.name = 'fortnite.meet_creators'
  for no key update;

  with span as materialized (
    select i.creator_account_id as account
    from fortnite.island as i
    where i.creator_account_id > v_after
    order by i.creator_account_id
    limit p_most
  )

  select
    count(*),
    max(s.account),
    array(
      select k.account
      from (select distinct o.account from span as o) as k
      where
        octet_length(k.account) <= 200
        and not exists (select from fortnite.creator as c where c.account_id = k.account)
    )
  into v_seen, v_last, v_new
  from span as s;

  update engine.watermark as w
  set
    value = jsonb_build_object('after', case when v_seen = p_most then v_last else '' end),
    moved_at = now()
  where w.name = 'fortnite.meet_creators';

  insert into fortnite.creator (met_island_id, account_id, source, first_seen_at)
  select
    i.island_id,
    u.account,
    i.source,
    now()
  from unnest(v_new) as u (account)
  cross join lateral (
    select
      o.island_id,
      o.source
    from fortnite.island as o
    where o.creator_account_id = u.account
    order by o.first_seen_at, o.island_id
    limit 1
  ) as i
  order by u.account collate "C"
  on conflict (account_id) do nothing;
  perform engine.discover('fortnite.creator', v_new);
  perform engine.discover('fortnite.player_page', v_new);
  perform engine.discover('fortnite.creator_page', v_new);
  return cardinality(v_new);
end
$$;

comment on function fortnite.meet_creators(integer) is
'Adds the unknown creators of the next so many islands, in the order of their creators, with where the first of their '
'islands was met, and puts them on the crawl schedule of both routes of the pops service and of creator pages, before '
'all others; after the last island it begins anew. Gives how many were new';
