create function fortnite.hurry_pages() returns integer
language sql
as $$
  with told as (
    select
      c.account_id,
      max(g.changed_at) as told_at
    from fortnite.creator_change as g
    inner join fortnite.creator as c on g.creator_id = c.creator_id
    where g.changed_at > now() - interval '1 day' and g.resource = 'fortnite.creator'
    group by c.account_id
    union all
    select
      c.account_id,
      c.bulk_gone_at
    from fortnite.creator as c
    where c.bulk_gone_at is not null and c.page_gone_at is null
  ),

  late as (
    select p.key
    from engine.crawl as p
    inner join told as t on p.key = t.account_id
    where
      p.resource = 'fortnite.player_page'
      and p.state <> 'dead'
      and p.due_at > now()
      and p.leased_until = '-infinity'
      -- What failed waits longer each time: hurried, it would be dead within minutes.
      and p.attempts = 0
      and p.last_fetched_at < t.told_at
    order by p.key
    for no key update of p skip locked
  ),

  hurried as (
    update engine.crawl as p
    set due_at = now()
    from late as l
    where p.resource = 'fortnite.player_page' and p.key = l.key
    returning p.key
  )

  select count(*)::integer from hurried;
$$;

comment on function fortnite.hurry_pages() is
'Makes the player pages due of creators on whom the bulk route showed a change, or whom it leaves out, since the page '
'was read: there is more to it than the bulk route tells, and only a page that is gone too makes a creator gone who '
'had one. Gives how many';
