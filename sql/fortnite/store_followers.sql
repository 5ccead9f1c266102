create function fortnite.store_followers(p_at timestamptz, p_accounts text[], p_followers integer[]) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
as $$
declare
  v_stored integer;
begin
  with told as (
    select
      c.creator_id,
      u.followers
    from unnest(p_accounts, p_followers) as u (account_id, followers)
    inner join fortnite.creator as c on u.account_id = c.account_id
    left join lateral (
      select
        f.ts,
        f.followers
      from fortnite.creator_follower as f
      where f.creator_id = c.creator_id
      order by f.ts desc
      limit 1
    ) as o on true
    where
      o.ts is null
      or (
        o.ts < p_at
        and (o.followers <> u.followers or (o.ts at time zone 'UTC')::date < (p_at at time zone 'UTC')::date)
      )
  ),

  kept as (
    insert into fortnite.creator_follower (ts, creator_id, followers)
    select
      p_at,
      t.creator_id,
      t.followers
    from told as t
    order by t.creator_id
    on conflict (creator_id, ts) do nothing
    returning creator_id, followers
  )

  insert into fortnite.creator_now as n (creator_id, followers, followers_at)
  select
    k.creator_id,
    k.followers,
    p_at
  from kept as k
  order by k.creator_id
  on conflict (creator_id) do update
    set
      followers = excluded.followers,
      followers_at = excluded.followers_at;
  get diagnostics v_stored = row_count;
  return v_stored;
end
$$;

comment on function fortnite.store_followers(timestamptz, text[], integer[]) is
'Stores readings of followers, one an account: where the number changed, and the first of each UTC day. A reading that '
'is not newer than the last is left out, so that one sent twice counts once. Gives how many rows that made';
