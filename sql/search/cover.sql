-- requires: search.take_free
create function search.cover(p_index text) returns void
language plpgsql
set plan_cache_mode = force_custom_plan
set jit = off
as $$
begin
  execute format(
    $query$
    insert into search.dirty (index, ids, marked_at)
    select
      $1,
      array_agg(c.id order by c.id collate "C"),
      min(c.marked_at)
    from (
      select
        f.id,
        f.marked_at,
        (row_number() over () - 1) / 5000 as part
      from search.take_free($1) as f
      where
        not exists (select from search.%I as v where v.id = f.id)
        or exists (select from search.rejected as r where r.index = $1 and r.id = f.id)
        or exists (select from search.deleted as e where e.index = $1 and e.id = f.id)
    ) as c
    group by c.part
    $query$,
    p_index || '_document'
  ) using p_index;
end
$$;

comment on function search.cover(text) is
'Takes away the marks of documents that the view of an index has, as slices are about to carry all of it. What has '
'left the view stays marked: a late request may still bring it. So does what is parked or was deleted lately: only '
'settling a mark ends either';
