-- requires: search.mark
create function search.retry_rejected(p_index text, p_n integer default 5000) returns integer
language plpgsql
as $$
declare
  v_ids text[];
begin
  with again as (
    select r.id
    from search.rejected as r
    where r.index = p_index
    order by r.id collate "C"
    limit p_n
    for update
  ),

  taken as (
    delete from search.rejected as r
    using again as a
    where r.index = p_index and r.id = a.id
    returning r.id
  )

  select array_agg(t.id) into v_ids from taken as t;
  perform search.mark(p_index, v_ids);
  return coalesce(cardinality(v_ids), 0);
end
$$;

comment on function search.retry_rejected(text, integer) is
'Marks refused documents again, up to so many; returns how many. What is still refused comes back';
