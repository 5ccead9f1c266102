-- requires: search.mark
create function search.fill(p_index text, p_physical text, p_n integer) returns integer
language plpgsql
as $$
declare
  v_after text;
  v_ids text[];
begin
  select t.fill_after into v_after
  from search.target as t
  where t.index = p_index and t.physical = p_physical
  for update;
  if v_after is null then
    return 0;
  end if;
  execute format(
    'select array(select d.id from search.%I as d where d.id > $1 order by d.id limit $2)', p_index || '_document'
  ) into v_ids using v_after, p_n;
  perform search.mark(p_index, v_ids);
  update search.target as t
  set
    fill_after = case when cardinality(v_ids) = p_n then v_ids[p_n] end,
    filled_at = clock_timestamp()
  where t.index = p_index and t.physical = p_physical;
  return cardinality(v_ids);
end
$$;

comment on function search.fill(text, text, integer) is
'Marks the next documents for a physical index that wants all of them, and remembers how far it came.
Returns how many; 0 once all are marked';
