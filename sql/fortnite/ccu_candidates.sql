create function fortnite.ccu_candidates(p_top integer) returns setof text
language sql stable
set jit = off
-- Right after the first cycles nothing is analyzed yet: every look is by index, whatever the planner believes.
set enable_seqscan = off
set enable_bitmapscan = off
begin atomic
  with wanted as materialized (
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
  )

  select i.code
  from wanted as w
  inner join fortnite.island as i on w.island_id = i.island_id
  where i.gone_at is null;
end;

comment on function fortnite.ccu_candidates(integer) is
'Codes of the islands a CCU cycle asks for: the first so many by 7-day average, and every one that had '
'players in its latest sample, where that is of the hour before the newest cycle.';
