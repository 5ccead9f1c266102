-- requires: fortnite.fresh_ranking, fortnite.chain_previous, fortnite.chain_best
create function fortnite.rank_day(p_day date, p_measure text, p_top integer) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_nestloop = off
set work_mem = '128MB'
set jit = off
as $$
declare
  v_changed integer;
  v_lists integer[];
  v_islands integer[];
begin
  with list as materialized (
    select l.list_id from fortnite.ranking_list as l where l.measure = p_measure
  ),

  old as materialized (
    select r.*
    from fortnite.ranking_row as r
    inner join list as l on r.list_id = l.list_id
    where r.day = p_day
  ),

  before as (
    select r.list_id, r.island_id, r.rank
    from fortnite.ranking_row as r
    where r.day = p_day - 1
  ),

  best as (
    select r.list_id, r.island_id, min(r.rank) as rank, max(r.day) as day
    from fortnite.ranking_row as r
    inner join list as l on r.list_id = l.list_id
    where r.day < p_day and r.best_on = r.day
    group by r.list_id, r.island_id
  ),

  fresh as materialized (
    select
      f.list_id,
      f.island_id,
      f.value,
      f.rank,
      p.rank as previous_rank,
      least(f.rank, b.rank) as best_rank,
      case when b.rank <= f.rank then b.day else p_day end as best_on
    from fortnite.fresh_ranking(p_day, p_measure, p_top) as f
    left join before as p on f.list_id = p.list_id and f.island_id = p.island_id
    left join best as b on f.list_id = b.list_id and f.island_id = b.island_id
  ),

  gone as materialized (
    select o.list_id, o.island_id, o.best_on = p_day as was_best
    from old as o
    left join fresh as f on o.list_id = f.list_id and o.island_id = f.island_id
    where f.list_id is null
  ),

  moved as materialized (
    select
      f.*,
      -- What is best from this day on is another than it was.
      (case when f.best_on = p_day then f.rank end)
      is distinct from (case when o.best_on = p_day then o.rank end) as another_best
    from fresh as f
    left join old as o on f.list_id = o.list_id and f.island_id = o.island_id
    where
      (f.value, f.rank, f.previous_rank, f.best_rank, f.best_on)
      is distinct from (o.value, o.rank, o.previous_rank, o.best_rank, o.best_on)
  ),

  deleted as (
    delete from fortnite.ranking_row as r
    using gone as g
    where r.day = p_day and r.list_id = g.list_id and r.island_id = g.island_id
  ),

  written as (
    insert into fortnite.ranking_row as r (
      value, day, list_id, island_id, rank, previous_rank, best_rank, best_on
    )
    select m.value, p_day, m.list_id, m.island_id, m.rank, m.previous_rank, m.best_rank, m.best_on
    from moved as m
    order by m.island_id, m.list_id
    on conflict (island_id, list_id, day) do update
      set
        value = excluded.value,
        rank = excluded.rank,
        previous_rank = excluded.previous_rank,
        best_rank = excluded.best_rank,
        best_on = excluded.best_on
  ),

  another as (
    select m.list_id, m.island_id from moved as m where m.another_best
    union all
    select g.list_id, g.island_id from gone as g where g.was_best
  )

  select
    (select count(*) from gone) + (select count(*) from moved),
    (select array_agg(a.list_id order by a.list_id, a.island_id) from another as a),
    (select array_agg(a.island_id order by a.list_id, a.island_id) from another as a)
  into v_changed, v_lists, v_islands;

  update fortnite.ranking_list as l
  set since = s.since
  from (
    select
      k.list_id,
      (select min(r.day) from fortnite.ranking_row as r where r.list_id = k.list_id) as since
    from fortnite.ranking_list as k
    where k.measure = p_measure and (k.since is null or k.since >= p_day)
  ) as s
  where l.list_id = s.list_id and l.since is distinct from s.since;

  if v_changed > 0 and exists (select from fortnite.ranking_row as r where r.day > p_day) then
    v_changed := v_changed
      + fortnite.chain_previous(p_day, p_measure)
      + fortnite.chain_best(p_day, v_lists, v_islands);
  end if;
  return v_changed;
end
$$;

comment on function fortnite.rank_day(date, text, integer) is
'Computes the rankings of a UTC day by a measure, down to a rank in each list, and brings previous and best ranks of '
'later days to what they say now. Computed again it gives the same rows and writes none. Gives how many changed';
