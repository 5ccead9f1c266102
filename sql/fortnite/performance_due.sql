create function fortnite.performance_due(p_at timestamptz, p_turns integer)
returns table (island_ids integer[])
language sql stable
set jit = off
begin atomic
  select array_agg(d.island_id order by d.island_id)
  from (
    select
      n.island_id,
      row_number() over (order by n.island_id) - 1 as nth
    from fortnite.island_now as n
    left join fortnite.island_performance as p on n.island_id = p.island_id
    where
      p.island_id is null
      or (
        n.island_id % p_turns = (date_part('epoch', p_at)::bigint / 600) % p_turns
        and (
          n.ccu > 0
          or (n.record_ccu > 0 and n.ts >= date_bin('1 day', p_at, '2000-01-01 00:00:00+00') - interval '29 days')
          or p.computed_at < date_bin('1 day', p_at, '2000-01-01 00:00:00+00')
        )
      )
  ) as d
  group by d.nth / 5000
  order by min(d.island_id);
end;

comment on function fortnite.performance_due(timestamptz, integer) is
'Islands whose performance is to be computed at a cycle, 5,000 an array: those that have none yet, and of '
'those whose turn it is, one cycle in so many, the ones that had players in 30 days and the ones last '
'looked at on an earlier day.';
