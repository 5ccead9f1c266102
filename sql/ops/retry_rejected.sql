-- requires: search.retry_rejected
create function ops.retry_rejected(p_index text, p_n integer default 5000) returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_n is null or p_n not between 1 and 5000 then
    raise exception 'p_n is %, must be 1 to 5000', p_n using
      errcode = 'invalid_parameter_value',
      hint = 'One transaction marks no more; call it again until it gives less.';
  end if;
  return search.retry_rejected(p_index, p_n);
end;
$$;

comment on function ops.retry_rejected(text, integer) is
'Marks documents of an index that Elasticsearch refused for the next sync, up to so many; gives how '
'many. What is refused again comes back to search.rejected';
