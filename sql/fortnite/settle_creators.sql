-- requires: engine.next_due
create function fortnite.settle_creators(p_lease bigint, p_accounts text[], p_players bigint[])
returns integer
language plpgsql
as $$
declare
  v_settled integer;
begin
  update engine.crawl as c
  set
    class = case when k.players >= 100 then 1 when k.players > 0 then 2 else 3 end,
    state = 'active',
    attempts = 0,
    leased_until = '-infinity',
    last_error = null,
    last_fetched_at = now(),
    -- every cycle for the largest, half a day for who has no players: they are asked whether they have some now
    due_at = engine.next_due(
      c.key, now(), least(interval '12 hours', interval '10 minutes' * (1 + 500.0 / greatest(k.players, 1)))
    )
  from (
    select u.account, u.players
    from unnest(p_accounts, p_players) as u (account, players)
    order by u.account collate "C"
  ) as k
  where
    c.resource = 'fortnite.creator_page'
    and c.key = k.account
    and c.lease = p_lease
    and c.leased_until > '-infinity';
  get diagnostics v_settled = row_count;
  return v_settled;
end
$$;

comment on function fortnite.settle_creators(bigint, text[], bigint[]) is
'Reschedules creators whose pages were read: the more players their islands have, the sooner. Gives how many were
still held';
