create function search.release(p_index text, p_ids text[], p_marks bigint[]) returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
begin
  with mine as (
    select d.id
    from unnest(p_ids, p_marks) as l (id, mark)
    inner join search.dirty as d on l.id = d.id and l.mark = d.mark
    where d.index = p_index
    for update of d skip locked
  )

  update search.dirty as d
  set leased_until = '-infinity'
  from mine as m
  where d.index = p_index and d.id = m.id;
end
$$;

comment on function search.release(text, text[], bigint[]) is
'Gives leased documents back at once that could not be sent; without it their lease runs out';
