-- requires: engine.partitions, engine.timescale_schema
create function engine.compress(p_relation text, p_partition regclass) returns void
language plpgsql
security definer
set search_path = ''
set lock_timeout = '2s'
as $$
begin
  perform from engine.series as s
  cross join lateral engine.partitions(s.store, s.width) as p
  where s.relation = p_relation and p.partition = p_partition;
  if not found then
    raise exception '% holds no rows of %: name one that engine.partitions lists', p_partition, p_relation
      using errcode = 'invalid_parameter_value';
  end if;
  -- Where somebody reads it, its rows are deleted, not cut off: who comes next must not wait behind that reader.
  perform set_config('timescaledb.compress_truncate_behaviour', 'truncate_or_delete', true);
  execute format('select %I.compress_chunk($1, if_not_compressed => true)', engine.timescale_schema())
  using p_partition;
end
$$;

comment on function engine.compress(text, regclass) is
'Compresses a chunk of a level of a series, again where late rows went to it. Who writes to it waits meanwhile; '
'gives up after two seconds of waiting for them.';
