create function search.outdate(p_seen bigint) returns boolean
language plpgsql
as $$
begin
  lock table search.target in share row exclusive mode;
  if p_seen <= (select v.last_value from search.version as v) then
    return false;
  end if;
  update search.target as t
  set content_hash = 'stale'
  where t.state in ('building', 'live');
  return true;
end
$$;

comment on function search.outdate(bigint) is
'Elasticsearch holds a version that this database never drew, because it was restored from a backup:
every index has to be built again. False when the sequence has been lifted past that version already.
search.lift comes after it';
