create function search.lease(p_index text, p_n integer, p_lease interval)
returns table (ids text[], marks bigint[], targets text[])
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
begin
  with leased as (
    update search.dirty as d
    set leased_until = clock_timestamp() + p_lease
    -- An array of places is one scan; a join would begin one for each row.
    where
      d.ctid = any(array(
        select o.ctid
        from search.dirty as o
        where o.index = p_index and o.leased_until < clock_timestamp()
        order by o.marked_at
        limit p_n
        -- Skips what anyone else holds, so it waits for nobody and cannot deadlock in any order.
        for update skip locked
      ))
    returning d.id, d.mark
  )

  select
    array_agg(l.id order by l.id collate "C"),
    array_agg(l.mark order by l.id collate "C")
  into ids, marks
  from leased as l;
  if ids is null then
    return;
  end if;
  -- A statement of its own, with a later snapshot than the marks: a target registered before a mark must be seen.
  select array_agg(t.physical order by t.state) into targets
  from search.target as t
  where t.index = p_index and t.state in ('building', 'live');
  return next;
end
$$;

comment on function search.lease(text, integer, interval) is
'Takes up to so many pending documents of an index, longest waiting first, for so long: ids, their
marks, and the physical indices that must take them, the one being built before the live one. No row
when nothing is free';
