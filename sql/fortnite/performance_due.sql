create function fortnite.performance_due(p_at timestamptz, p_turns integer)
returns table (island_ids integer[])
language plpgsql stable
set plan_cache_mode = force_custom_plan
set jit = off
as $$
declare
  v_today timestamptz := date_bin('1 day', p_at, '2000-01-01 00:00:00+00');
  v_turn integer := (date_part('epoch', p_at)::bigint / 600) % p_turns;
  v_last integer := (select coalesce(max(n.island_id), 0) from fortnite.island_now as n);
begin
  return query
  select array_agg(d.island_id order by d.island_id)
  from (
    select
      u.island_id,
      row_number() over (order by u.island_id) - 1 as nth
    from (
      select i.island_id
      -- Neighbours take their turn together: their rows and roll-ups share pages.
      from generate_series(v_turn * 5000, v_last, p_turns * 5000) as b (first)
      cross join lateral (
        select n.island_id
        from fortnite.island_now as n
        left join fortnite.island_performance as p
          on n.island_id = p.island_id and p.island_id >= b.first and p.island_id < b.first + 5000
        where
          n.island_id >= b.first
          and n.island_id < b.first + 5000
          and (
            p.island_id is null
            or n.ccu > 0
            or (n.record_ccu > 0 and n.ts >= v_today - interval '29 days')
            or p.computed_at < v_today
          )
        offset 0
      ) as i
      union all
      select n.island_id
      from fortnite.island_now as n
      where
        n.since > p_at - interval '20 minutes'
        and n.island_id / 5000 % p_turns <> v_turn
        and not exists (select from fortnite.island_performance as p where p.island_id = n.island_id)
    ) as u
  ) as d
  group by d.nth / 5000
  order by min(d.island_id);
end
$$;

comment on function fortnite.performance_due(timestamptz, integer) is
'Islands whose performance is to be computed at a cycle, 5,000 an array. Islands take turns, one cycle in so many, '
'5,000 neighbours together: of those whose turn it is, the ones that had players in 30 days, the ones last looked at '
'on an earlier day and the ones that have none yet. One first sampled in this cycle or the one before does not wait.';
