create function fortnite.reconcile_islands(p_ts timestamptz, p_accounts text[], p_codes text[]) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_codes text[];
begin
  with listed as (
    select
      u.account,
      u.code
    from unnest(p_accounts, p_codes) as u (account, code)
    group by u.account, u.code
  ),

  told as (
    insert into fortnite.island_owner_change (island_id, changed_at, old_account_id, new_account_id)
    select
      i.island_id,
      p_ts,
      i.creator_account_id,
      l.account
    from listed as l
    inner join fortnite.island as i on l.code = i.code
    left join lateral (
      select
        o.old_account_id,
        o.new_account_id
      from fortnite.island_owner_change as o
      where o.island_id = i.island_id
      order by o.change_id desc
      limit 1
    ) as o on true
    where
      i.creator_account_id <> l.account
      -- Until the details follow, every reading of the page tells the same.
      and (o.old_account_id, o.new_account_id) is distinct from (i.creator_account_id, l.account)
    order by i.island_id
    returning island_id
  )

  select array_agg(i.code) into v_codes
  from told as t
  inner join fortnite.island as i on t.island_id = i.island_id;
  if v_codes is null then
    return 0;
  end if;

  update engine.crawl as c
  set due_at = now()
  from (
    select l.key
    from engine.crawl as l
    where l.resource = 'fortnite.island' and l.key = any(v_codes) and l.due_at > now()
    order by l.key
    for no key update skip locked
  ) as k
  where c.resource = 'fortnite.island' and c.key = k.key;
  return cardinality(v_codes);
end
$$;

comment on function fortnite.reconcile_islands(timestamptz, text[], text[]) is
'Compares the islands that creator pages list (account and code side by side) with whose they are by their details: '
'where that differs the change is logged, once, and the details are due at once. Islands whose details are not there '
'yet are nobody''s so far. Gives how many changes were logged';
