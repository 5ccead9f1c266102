-- requires: engine.partitions
create function engine.partition_rows(p_relation text, p_partition regclass) returns bigint
language plpgsql stable
security definer
set search_path = ''
as $$
declare
  v_rows bigint;
begin
  perform from engine.series as s
  cross join lateral engine.partitions(s.store, s.width) as p
  where s.relation = p_relation and p.partition = p_partition;
  if not found then
    raise exception '% holds no rows of %: name one that engine.partitions lists', p_partition, p_relation
      using errcode = 'invalid_parameter_value';
  end if;
  execute format('select count(*) from %s', p_partition) into v_rows;
  return v_rows;
end
$$;

comment on function engine.partition_rows(text, regclass) is
'How many rows a partition of a level of a series has, counted one by one.';
