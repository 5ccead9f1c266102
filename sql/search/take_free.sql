create function search.take_free(p_index text)
returns table (id text, marked_at timestamptz)
language plpgsql
set jit = off
as $$
begin
  return query
  with taken as (
    delete from search.dirty as d
    where
      d.mark = any(array(
        select o.mark
        from search.dirty as o
        where o.index = p_index and o.leased_until < clock_timestamp()
        for update skip locked
      ))
    returning d.ids, d.marked_at
  )

  select
    u.id,
    min(t.marked_at)
  from taken as t
  cross join lateral unnest(t.ids) as u (id)
  group by u.id;
end
$$;

comment on function search.take_free(text) is
'Takes away the marks of an index that nobody holds. Gives their documents, each once, and since when it waits';
