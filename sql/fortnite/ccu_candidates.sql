-- requires: fortnite.enough_coverage
create function fortnite.ccu_candidates(p_top integer) returns setof text
language sql stable
set jit = off
-- Right after the first cycles nothing is analyzed yet: every look is by index, whatever the planner believes.
set enable_seqscan = off
set enable_bitmapscan = off
begin atomic
  -- The last cycle that asked by code and was answered. Creator pages go on while that route is down, and what
  -- had players before must still be known when it is back.
  with answered as materialized (
    select coalesce(a.ts, s.newest) as ts
    from engine.series as s
    left join lateral (
      select c.ts
      from fortnite.ccu_cycle as c
      where
        c.source = 'entries'
        and c.finished_at is not null
        and c.observed + c.negative >= c.expected * 0.9
      order by c.ts desc
      limit 1
    ) as a on true
    where s.relation = 'fortnite.ccu' and s.newest > '-infinity'
  ),

  -- A count that has not changed is only found in the samples: those of the hour before either cycle.
  step as materialized (
    select g.ts
    from answered as a
    cross join generate_series(a.ts, a.ts - interval '1 hour', interval '-10 minutes') as g (ts)
    union
    select g.ts
    from engine.series as s
    cross join generate_series(s.newest, s.newest - interval '1 hour', interval '-10 minutes') as g (ts)
    where s.relation = 'fortnite.ccu' and s.newest > '-infinity'
  ),

  wanted as materialized (
    (
      select p.island_id
      from fortnite.island_performance as p
      where p.avg_7d is not null and fortnite.enough_coverage(p.coverage_7d)
      order by p.avg_7d desc nulls last, p.island_id asc
      limit p_top
    )
    union
    select n.island_id
    from fortnite.island_now as n
    where
      n.ccu > 0
      and (
        n.ts >= (select a.ts - interval '1 hour' from answered as a)
        or exists (
          select
          from step as s
          inner join fortnite.ccu as c on s.ts = c.ts and n.island_id = c.island_id
        )
      )
  )

  select i.code
  from wanted as w
  inner join fortnite.island as i on w.island_id = i.island_id
  where i.gone_at is null;
end;

comment on function fortnite.ccu_candidates(integer) is
'Codes of the islands a CCU cycle asks for: the first so many by 7-day average, of those covered well enough, and '
'every one that had players in its latest sample, where that is no older than an hour before the last cycle that asked '
'by code and got nine tenths answered. An outage, however long, loses none.';
