-- requires: fortnite.lock_creators, fortnite.change_creators, fortnite.lose_creators, search.mark
create function fortnite.apply_creator(
  p_resource text,
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns void
language plpgsql
as $$
declare
  v_marked text[];
begin
  insert into fortnite.creator (account_id, source, first_seen_at)
  select
    k.account_id,
    p_resource,
    k.fetched_at
  from unnest(p_keys, p_fetched_at, p_bodies) as k (account_id, fetched_at, body)
  where
    k.body <> 'null'
    and not exists (select from fortnite.creator as c where c.account_id = k.account_id)
  order by k.account_id collate "C"
  on conflict (account_id) do nothing;

  perform fortnite.lock_creators(p_keys);
  v_marked := fortnite.change_creators(p_resource, p_fetched_at, p_keys, p_bodies);
  if 'null' = any(p_bodies) then
    v_marked := v_marked || fortnite.lose_creators(p_resource, p_fetched_at, p_keys, p_bodies);
  end if;
  perform search.mark('creator', v_marked);
end
$$;

comment on function fortnite.apply_creator(text, timestamptz[], text[], jsonb[]) is
'Entries of the bulk route (resource fortnite.creator) and player pages (fortnite.player_page) become creators; what '
'changed is logged, and documents are marked. A JSON null is a creator that the route has no more. Keys come once '
'each, in byte order';
