create function search.take_over(p_index text, p_ids text[], p_marks bigint[]) returns void
language plpgsql
-- All told: whoever calls has another one.
set enable_hashjoin = on
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_marks bigint[] := array(
    select distinct o.mark
    from (
      select
        d.mark,
        unnest(d.ids) as id
      from search.dirty as d
      where
        d.index = p_index and d.leased_until > '-infinity' and d.leased_until >= clock_timestamp()
        and d.mark <> all(p_marks)
    ) as o
    inner join unnest(p_ids) as u (id) on o.id = u.id
  );
begin
  if v_marks = '{}' then
    return;
  end if;
  perform
  from search.dirty as d
  where d.mark = any(v_marks)
  order by d.mark
  for update;
  with kept as (
    select
      d.mark,
      array(
        select unnest(d.ids)
        except
        select unnest(p_ids)
      ) as ids
    from search.dirty as d
    where d.mark = any(v_marks)
  ),

  emptied as (
    delete from search.dirty as d
    using kept as k
    where d.mark = k.mark and k.ids = '{}'
  )

  update search.dirty as d
  set ids = k.ids
  from kept as k
  where d.mark = k.mark and k.ids <> '{}';
end
$$;

comment on function search.take_over(text, text[], bigint[]) is
'Takes these documents out of the leases of others, who hold them by other marks than these: they changed since, and '
'whoever is late must not settle what a newer request has sent';
