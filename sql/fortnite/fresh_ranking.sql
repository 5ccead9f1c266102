-- requires: fortnite.ranking_value, fortnite.island_at
create function fortnite.fresh_ranking(p_day date, p_measure text, p_top integer)
returns table (list_id integer, island_id integer, rank integer, value double precision)
language plpgsql
set plan_cache_mode = force_custom_plan
-- How many islands an estimate of the roll-ups gives is anybody's guess: never one loop in another.
set enable_nestloop = off
set work_mem = '128MB'
set jit = off
as $$
begin
  return query
  with valued as materialized (
    select
      v.island_id,
      v.value,
      i.creator,
      i.categories,
      i.tags,
      row_number() over (order by v.value desc, i.code) as place
    from fortnite.ranking_value(p_day, p_measure) as v
    inner join fortnite.island_at((p_day + 1)::timestamp at time zone 'UTC') as i on v.island_id = i.island_id
  ),

  member as materialized (
    select v.island_id, v.value, v.place, 'global' as list, '' as name
    from valued as v
    union all
    select v.island_id, v.value, v.place, 'creator', v.creator
    from valued as v
    where v.creator is not null
    union all
    select v.island_id, v.value, v.place, 'category', c.name
    from valued as v
    cross join lateral (select distinct u.name from unnest(v.categories) as u (name) where u.name is not null) as c
    union all
    select v.island_id, v.value, v.place, 'tag', t.name
    from valued as v
    cross join lateral (select distinct u.name from unnest(v.tags) as u (name) where u.name is not null) as t
  ),

  added as (
    insert into fortnite.ranking_list as l (list, name, measure)
    select m.list, m.name, p_measure
    from member as m
    left join fortnite.ranking_list as k on k.measure = p_measure and m.list = k.list and m.name = k.name
    where k.list_id is null
    group by m.list, m.name
    order by m.list, m.name
    returning l.list_id, l.list, l.name
  ),

  known as (
    select l.list_id, l.list, l.name
    from fortnite.ranking_list as l
    where l.measure = p_measure
    union all
    select a.list_id, a.list, a.name
    from added as a
  )

  select
    r.list_id,
    r.island_id,
    r.rank::integer,
    r.value
  from (
    select
      k.list_id,
      m.island_id,
      m.value,
      row_number() over (partition by k.list_id order by m.place) as rank
    from member as m
    inner join known as k on m.list = k.list and m.name = k.name
  ) as r
  where r.rank <= p_top;
end
$$;

comment on function fortnite.fresh_ranking(date, text, integer) is
'Ranks of a UTC day by a measure in every list, down to a rank; lists that are new are made. Islands of one value are '
'ordered by code. Lists are those the islands were in at the end of the day';
