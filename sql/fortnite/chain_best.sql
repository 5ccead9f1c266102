create function fortnite.chain_best(p_day date, p_lists integer[], p_islands integer[]) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set work_mem = '128MB'
set jit = off
as $$
declare
  v_changed integer;
begin
  -- A key orders as the answer does: the lowest rank, and of its days the first.
  with given as (
    select
      u.list_id,
      u.island_id,
      b.best
    from unnest(p_lists, p_islands) as u (list_id, island_id)
    cross join lateral (
      select min((r.rank::bigint << 32) + (r.day - date '2000-01-01')) as best
      from fortnite.ranking_row as r
      where r.list_id = u.list_id and r.island_id = u.island_id and r.day <= p_day and r.best_on = r.day
    ) as b
  ),

  running as (
    select
      r.day,
      r.list_id,
      r.island_id,
      least(
        g.best,
        min((r.rank::bigint << 32) + (r.day - date '2000-01-01'))
        over (partition by r.list_id, r.island_id order by r.day)
      ) as best
    from given as g
    inner join fortnite.ranking_row as r on g.list_id = r.list_id and g.island_id = r.island_id
    where r.day > p_day
  ),

  fresh as (
    select
      c.day,
      c.list_id,
      c.island_id,
      (c.best >> 32)::integer as best_rank,
      date '2000-01-01' + (c.best & 4294967295)::integer as best_on
    from running as c
  )

  update fortnite.ranking_row as r
  set
    best_rank = f.best_rank,
    best_on = f.best_on
  from fresh as f
  where
    r.day > p_day
    and r.day = f.day
    and r.list_id = f.list_id
    and r.island_id = f.island_id
    and (r.best_rank, r.best_on) is distinct from (f.best_rank, f.best_on);
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;

comment on function fortnite.chain_best(date, integer[], integer[]) is
'Brings the best ranks of later days to what the rankings up to this day say now, for these islands in these lists '
'(one of each an entry); how many rows changed';
