-- requires: search.retry_rejected
create function ops.retry_rejected(p_index text, p_n integer default 5000) returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_indices text[];
begin
  if p_n is null or p_n not between 1 and 5000 then
    raise exception 'p_n is %, must be 1 to 5000', p_n using
      errcode = 'invalid_parameter_value',
      hint = 'One transaction marks no more; call it again until it gives less.';
  end if;
  -- an index is a view: its name is right before Elasticsearch has been there for the first time
  v_indices := array(
    select left(v.viewname, -length('_document'))
    from pg_views as v
    where v.schemaname = 'search' and v.viewname like '%\_document'
    order by v.viewname
  );
  if (p_index = any(v_indices)) is not true then
    raise exception 'there is no index %', p_index using
      errcode = 'undefined_object',
      hint = format('There are %s.', array_to_string(v_indices, ', '));
  end if;
  return search.retry_rejected(p_index, p_n);
end;
$$;

comment on function ops.retry_rejected(text, integer) is
'Marks documents of an index that Elasticsearch refused for the next sync, up to so many; gives how '
'many. What is refused again comes back to search.rejected';
