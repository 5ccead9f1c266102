create function fortnite.chain_previous(p_day date, p_measure text) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_nestloop = off
set work_mem = '128MB'
set jit = off
as $$
declare
  v_changed integer;
begin
  with list as (
    select l.list_id from fortnite.ranking_list as l where l.measure = p_measure
  )

  update fortnite.ranking_row as r
  set previous_rank = f.rank
  from (
    select
      a.list_id,
      a.island_id,
      b.rank
    from fortnite.ranking_row as a
    inner join list as l on a.list_id = l.list_id
    left join fortnite.ranking_row as b
      on a.list_id = b.list_id and a.island_id = b.island_id and b.day = p_day
    where a.day = p_day + 1 and a.previous_rank is distinct from b.rank
  ) as f
  where r.day = p_day + 1 and r.list_id = f.list_id and r.island_id = f.island_id;
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;

comment on function fortnite.chain_previous(date, text) is
'Brings the previous ranks of the day after to what the rankings of this day say now; how many rows changed';
