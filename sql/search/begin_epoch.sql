create function search.begin_epoch(p_epoch integer, p_found bigint, p_present text[]) returns boolean
language plpgsql
as $$
begin
  lock table search.target in share row exclusive mode;
  -- First, as it does not roll back: versions go on above all that Elasticsearch holds.
  if p_found > (select v.last_value from search.version as v) then
    perform setval('search.version', greatest(p_found, floor(extract(epoch from clock_timestamp()) * 1e6)::bigint));
  end if;
  update search.epoch as e
  set
    epoch = e.epoch + 1,
    version = (select v.last_value from search.version as v),
    noted = least(e.noted, p_found)
  where e.epoch = p_epoch;
  if not found then
    return false;
  end if;
  update search.target as t
  set content_hash = 'stale'
  where t.state in ('building', 'live') and (p_present is null or t.physical = any(p_present));
  return true;
end
$$;

comment on function search.begin_epoch(integer, bigint, text[]) is
'Called when database and Elasticsearch were found not to belong to the same instant: one was restored from a backup. '
'Indices that are there, or all where p_present is null, have to be built again, and versions go on past p_found, '
'which Elasticsearch holds, and past the clock in microseconds. False when another worker began that epoch';
