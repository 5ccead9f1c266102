create function engine.raise_floor(p_relation text, p_floor timestamptz) returns void
language plpgsql
as $$
declare
  v_levels text[];
begin
  with recursive level as (
    select s.relation, s.source, 0 as depth from engine.series as s where s.relation = p_relation
    union all
    select s.relation, s.source, l.depth + 1
    from engine.series as s
    inner join level as l on s.relation = l.source
  )
  select array_agg(l.relation order by l.depth desc) into v_levels from level as l;

  -- Alone: a batch that was let in under the old floor is committed before the new one holds.
  perform engine.lock_series(v_levels[1], true);
  update engine.series as s
  set floor = p_floor
  where s.relation = any(v_levels) and s.floor < p_floor;
end
$$;

comment on function engine.raise_floor(text, timestamptz) is
'From now on nothing older is written to a level of a series, nor to the levels it is made from. A floor '
'never comes down.';
