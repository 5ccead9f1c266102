create function fortnite.classify_creators(p_after text, p_most integer)
returns table (changed integer, last text)
language sql
set jit = off
as $$
  with span as (
    select c.account_id, n.minutes_24h, n.minutes_7d, n.ccu
    from fortnite.creator as c
    left join fortnite.creator_now as n on c.creator_id = n.creator_id
    where c.account_id > p_after
    order by c.account_id
    limit p_most
  ),

  wanted as (
    select
      k.key,
      k.resource,
      case
        when s.minutes_24h >= 144000 then 1 -- a hundred players, day and night
        when s.minutes_7d > 0 or s.ccu > 0 then 2
        else 3
      end as fits
    from span as s
    inner join engine.crawl as k on s.account_id = k.key
    where
      k.resource in ('fortnite.creator', 'fortnite.player_page')
      and k.class <> 0 -- a new one is new until it was fetched
    order by k.key, k.resource
    for no key update of k
  ),

  moved as (
    update engine.crawl as c
    set class = w.fits
    from wanted as w
    where c.resource = w.resource and c.key = w.key and c.class <> w.fits
    returning c.key
  )

  select (select count(*)::integer from moved), (select max(s.account_id) from span as s);
$$;

comment on function fortnite.classify_creators(text, integer) is
'Sorts the next so many creators after an account into crawl classes for both routes of the pops service: 1 with a '
'hundred players on average over 24 hours, 2 with any in 7 days, else 3; new ones (0) stay. Returns how many rows '
'moved, and the last account (null: none is left)';
