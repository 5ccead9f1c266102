create function search.cover(p_index text) returns void
language plpgsql
set plan_cache_mode = force_custom_plan
set jit = off
as $$
begin
  execute format(
    $query$
    with taken as (
      delete from search.dirty as d
      where
        d.mark = any(array(
          select o.mark
          from search.dirty as o
          where o.index = $1 and o.leased_until < clock_timestamp()
          for update skip locked
        ))
      returning d.ids, d.marked_at
    ),

    uncovered as (
      select
        u.id,
        min(t.marked_at) as marked_at,
        (row_number() over () - 1) / 5000 as part
      from taken as t
      cross join lateral unnest(t.ids) as u (id)
      where not exists (select from search.%I as v where v.id = u.id)
      group by u.id
    )

    insert into search.dirty (index, ids, marked_at)
    select
      $1,
      array_agg(c.id order by c.id collate "C"),
      min(c.marked_at)
    from uncovered as c
    group by c.part
    $query$,
    p_index || '_document'
  ) using p_index;
end
$$;

comment on function search.cover(text) is
'Takes away the marks of documents that the view of an index has, as slices are about to carry all of it. What has '
'left the view stays marked: a late request may still bring it';
