-- requires: engine.partitions, engine.timescale_schema
create function engine.drop_oldest(p_relation text) returns boolean
language plpgsql
security definer
set search_path = ''
set lock_timeout = '100ms'
as $$
declare
  v_store text;
  v_ends_at timestamptz;
begin
  perform engine.lock_series('what is old', true);
  select s.store, p.ends_at into v_store, v_ends_at
  from engine.series as s
  cross join lateral engine.partitions(s.store, s.width) as p
  where s.relation = p_relation and p.ends_at <= s.kept_from
  order by p.ends_at
  limit 1;
  if v_store is null then
    return false;
  end if;
  execute format('select %I.drop_chunks($1::regclass, older_than => $2)', engine.timescale_schema())
  using v_store, v_ends_at;
  return true;
end
$$;

comment on function engine.drop_oldest(text) is
'Drops the oldest chunk of a level of a series if it ends before what is kept, and says whether it did. '
'Gives up after a tenth of a second of waiting for readers, so that nobody waits longer behind it: try again.';
