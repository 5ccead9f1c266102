-- requires: fortnite.enough_coverage
create function fortnite.classify(p_after text, p_most integer, p_popular real)
returns table (changed integer, last text)
language sql
set jit = off
as $$
  with span as (
    select c.key, c.class, c.due_at
    from engine.crawl as c
    where c.resource = 'fortnite.island' and c.key > p_after
    order by c.key
    limit p_most
    for no key update
  ),

  wanted as (
    select
      s.key,
      s.class,
      case
        when p.avg_7d >= p_popular and fortnite.enough_coverage(p.coverage_7d) then 1
        when p.peak_30d > 0 or n.ccu > 0 or i.first_seen_at > now() - interval '30 days' then 2
        else 3
      end as fits
    from span as s
    inner join fortnite.island as i on s.key = i.code
    left join fortnite.island_performance as p on i.island_id = p.island_id
    left join fortnite.island_now as n on i.island_id = n.island_id
    where s.class <> 0 -- a new one is new until it was fetched
  ),

  moved as (
    update engine.crawl as c
    set
      class = w.fits,
      due_at = case when w.class = 3 then least(c.due_at, now()) else c.due_at end -- it woke up: look at once
    from wanted as w
    where c.resource = 'fortnite.island' and c.key = w.key and c.class <> w.fits
    returning c.key
  )

  select (select count(*)::integer from moved), (select max(s.key) from span as s);
$$;

comment on function fortnite.classify(text, integer, real) is
'Sorts the next so many islands after a key into crawl classes: 1 with at least so many players on '
'average over 7 days that are covered well enough, 3 without any in 30 days, else 2; new ones (0) stay. '
'Returns how many moved, and the last key (null: none is left)';
