create function fortnite.ccu_candidates(p_top integer) returns setof text
language sql stable
set jit = off
begin atomic
  select i.code
  from fortnite.island as i
  inner join (
    (
      select p.island_id
      from fortnite.island_performance as p
      where p.avg_7d is not null
      order by p.avg_7d desc, p.island_id asc
      limit p_top
    )
    union
    select n.island_id
    from fortnite.island_now as n
    where
      n.ccu > 0
      and exists (
        select
        from engine.series as s
        cross join generate_series(s.newest, s.newest - interval '1 hour', interval '-10 minutes') as g (ts)
        inner join fortnite.ccu as c on g.ts = c.ts and n.island_id = c.island_id
        where s.relation = 'fortnite.ccu'
      )
  ) as w on i.island_id = w.island_id
  where i.gone_at is null;
end;

comment on function fortnite.ccu_candidates(integer) is
'Codes of the islands a CCU cycle asks for: the first so many by 7-day average, and every one that had '
'players in its latest sample, where that is of the hour before the newest cycle.';
