create function search.lift(p_seen bigint) returns void
language plpgsql
as $$
begin
  lock table search.target in share row exclusive mode;
  if p_seen > (select v.last_value from search.version as v) then
    perform setval('search.version', greatest(p_seen + 1, floor(extract(epoch from clock_timestamp()) * 1e6)::bigint));
  end if;
end
$$;

comment on function search.lift(bigint) is
'Lifts the sequence of versions past one that Elasticsearch may hold and past the clock in microseconds, '
'so that whatever is drawn next wins there';
