-- requires: search.demand_rebuild
create function ops.rebuild(p_index text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from search.target as t where t.index = p_index) then
    raise exception 'there is no index %', p_index using
      errcode = 'invalid_parameter_value',
      hint = 'select * from ops.search_target;';
  end if;
  return search.demand_rebuild(p_index);
end;
$$;

comment on function ops.rebuild(text) is
'Has an index built again beside the one that is searched, by the next job search.rebuild; false when one is being '
'built already. How far it is: ops.search_target';
