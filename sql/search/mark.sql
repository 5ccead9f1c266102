create function search.mark(p_index text, p_ids text[]) returns void
language plpgsql
set jit = off
as $$
begin
  if cardinality(p_ids) > 5000 then
    raise exception '% documents of index % are more than the 5,000 one transaction may mark: mark them in parts',
      cardinality(p_ids), p_index
      using errcode = 'invalid_parameter_value';
  end if;
  insert into search.dirty (index, ids)
  select
    p_index,
    array_agg(distinct u.id collate "C")
  from unnest(p_ids) as u (id)
  where u.id is not null
  having count(*) > 0;
end
$$;

comment on function search.mark(text, text[]) is
'Marks documents of an index as changed: a part of the transaction that changes them, at most 5,000 ids. Null and '
'repeated ids are folded. It adds a row and touches no other: nobody waits, whoever marks the same ones; '
'Elasticsearch is not waited for';
