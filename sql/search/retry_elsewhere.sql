-- requires: search.mark, search.pending
create function search.retry_elsewhere(p_index text, p_physical text, p_most integer default 5000) returns integer
language plpgsql
as $$
declare
  v_ids text[] := array(
    select r.id
    from search.rejected as r
    where
      r.index = p_index and r.physical <> p_physical
      and r.id not in (select p.id from search.pending as p where p.index = p_index)
    order by r.id collate "C"
    limit p_most
  );
begin
  perform search.mark(p_index, v_ids);
  return cardinality(v_ids);
end
$$;

comment on function search.retry_elsewhere(text, text, integer) is
'Marks documents that another physical index refused than this one, up to so many: a new mapping may take them. Gives '
'how many';
