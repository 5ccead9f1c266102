-- requires: search.mark
create function fortnite.mark_trends(p_most integer) returns integer
language plpgsql
set jit = off
as $$
declare
  v_islands integer[];
begin
  with moved as (
    select t.island_id
    from fortnite.island_trend as t
    where
      t.rank is distinct from t.marked_rank
      or (t.trending is null) <> (t.marked_trending is null)
      or abs(t.trending - t.marked_trending) >= greatest(0.5, abs(t.marked_trending) / 10)
    order by t.island_id
    limit p_most
    for no key update
  ),

  marked as (
    update fortnite.island_trend as t
    set
      marked_rank = t.rank,
      marked_trending = t.trending
    from moved as m
    where t.island_id = m.island_id
    returning t.island_id
  )

  select array_agg(m.island_id) into v_islands from marked as m;
  perform search.mark('island', array(
    select i.code from fortnite.island as i where i.island_id = any(v_islands)
  ));
  return coalesce(cardinality(v_islands), 0);
end
$$;

comment on function fortnite.mark_trends(integer) is
'Marks the documents of at most so many islands (5,000 or fewer) whose rank is another than their document was last '
'marked for, or whose trending score moved by half a swing and a tenth. Gives how many: 0 when none is left';
