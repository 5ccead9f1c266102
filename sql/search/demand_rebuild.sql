create function search.demand_rebuild(p_index text) returns boolean
language plpgsql
as $$
begin
  lock table search.target in share row exclusive mode;
  if exists (select from search.target as t where t.index = p_index and t.state = 'building') then
    return false;
  end if;
  update search.target as t
  set content_hash = 'stale'
  where t.index = p_index and t.state = 'live';
  return found;
end
$$;

comment on function search.demand_rebuild(text) is
'Has an index built again, whatever it is like: search.register, called next, begins another one beside it.
False when one is being built already, or there is none yet';
