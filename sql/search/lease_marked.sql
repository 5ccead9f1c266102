create function search.lease_marked(p_index text, p_ids text[], p_lease interval)
returns table (ids text[], marks bigint[])
language plpgsql
set plan_cache_mode = force_custom_plan
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
    where
      d.ctid = any(array(
        select k.ctid
        from unnest(p_ids) as u (id)
        cross join lateral (
          select o.ctid
          from search.dirty as o
          where o.index = p_index and o.id = u.id and o.leased_until < clock_timestamp()
          for update skip locked
        ) as k
      ))
    returning d.id, d.mark
  )

  select
    coalesce(array_agg(l.id), '{}'),
    coalesce(array_agg(l.mark), '{}')
  into ids, marks
  from leased as l;
  return next;
end
$$;

comment on function search.lease_marked(text, text[], interval) is
'Takes those of these documents of an index that are pending, for so long: ids and their marks, empty when none
is free';
