create function search.mark(p_index text, p_ids text[]) returns void
language plpgsql
set enable_seqscan = off
set jit = off
as $$
begin
  if cardinality(p_ids) > 5000 then
    raise exception '% documents of index % are more than the 5,000 one transaction may mark: mark them in parts',
      cardinality(p_ids), p_index
      using errcode = 'invalid_parameter_value';
  end if;
  insert into search.dirty as d (index, id, mark)
  select
    p_index,
    i.id,
    nextval('search.mark')
  from (
    select u.id
    from unnest(p_ids) as u (id)
    where u.id is not null
    group by u.id
    order by u.id collate "C"
  ) as i
  -- Set, neither counted up nor the greater one: a mark equal to the one a sync has leased would be lost with it.
  on conflict (index, id) do update
    set
      mark = excluded.mark,
      leased_until = '-infinity';
end
$$;

comment on function search.mark(text, text[]) is
'Marks documents of an index as changed: the last thing a writing transaction does, at most 5,000 ids
each. Null and repeated ids are folded. Rows are locked in the byte order of their ids; Elasticsearch is
not waited for';
