-- requires: search.take_over
create function search.lease(p_index text, p_n integer, p_lease interval)
returns table (ids text[], marks bigint[], targets text[])
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  -- Read row by row: what is read is locked.
  v_free cursor for
    select d.mark, d.ids, d.documents, d.merged, d.marked_at
    from search.dirty as d
    where d.index = p_index and d.leased_until < clock_timestamp()
    order by d.marked_at
    for update skip locked;
  v_room integer := p_n;
  -- One instant for all of them: while one is held, so are the others.
  v_until timestamptz;
begin
  -- One at a time: two would not see each other's leases, and both take what waits twice.
  perform pg_advisory_xact_lock('search.dirty'::regclass::oid::integer, hashtext(p_index));
  v_until := clock_timestamp() + p_lease;
  marks := '{}';
  for v_set in v_free loop
    marks := marks || v_set.mark;
    if v_set.documents > v_room then
      update search.dirty as d
      set ids = v_set.ids[:v_room]
      where d.mark = v_set.mark;
      insert into search.dirty (index, ids, merged, marked_at)
      values (p_index, v_set.ids[v_room + 1:], v_set.merged, v_set.marked_at);
    end if;
    v_room := v_room - v_set.documents;
    exit when v_room <= 0;
  end loop;
  if marks = '{}' then
    return;
  end if;

  with leased as (
    update search.dirty as d
    set leased_until = v_until
    where d.mark = any(marks)
    returning d.ids
  )

  select array_agg(distinct u.id collate "C") into ids
  from leased as l
  cross join lateral unnest(l.ids) as u (id);
  perform search.take_over(p_index, ids, marks);
  -- A statement of its own, with a later snapshot than the marks: a target registered before a mark must be seen.
  select array_agg(t.physical order by t.state) into targets
  from search.target as t
  where t.index = p_index and t.state in ('building', 'live');
  return next;
end
$$;

comment on function search.lease(text, integer, interval) is
'Takes up to so many pending documents of an index, longest waiting first, for so long: ids, each once, the marks they '
'come from, and the physical indices that must take them, the one being built before the live one. No row when nothing '
'is free. A document that another lease has, and that was changed since, belongs to this one from now on';
