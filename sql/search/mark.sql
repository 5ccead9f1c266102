create function search.mark(p_index text, p_ids text[]) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashagg = off
set jit = off
as $$
declare
  v_mark bigint;
begin
  if cardinality(p_ids) > 5000 then
    raise exception '% documents of index % are more than the 5,000 one transaction may mark: mark them in parts',
      cardinality(p_ids), p_index
      using errcode = 'invalid_parameter_value';
  end if;
  if p_ids is null or p_ids = '{}' then
    return;
  end if;
  v_mark := nextval('search.mark');
  insert into search.dirty as d (index, id, mark)
  select
    p_index,
    i.id,
    v_mark
  from (
    select u.id collate "C" as id
    from unnest(p_ids) as u (id)
    where u.id is not null
    group by u.id collate "C"
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
