create function engine.drop_old(p_relation text) returns integer
language plpgsql
security definer
set search_path = ''
set lock_timeout = '2s'
as $$
declare
  v_series engine.series;
  v_partition regclass;
  v_dropped integer := 0;
begin
  select s.* into strict v_series from engine.series as s where s.relation = p_relation;
  for v_partition in
    select i.inhrelid
    from pg_inherits as i
    inner join pg_class as c on i.inhrelid = c.oid
    where
      i.inhparent = v_series.store::regclass
      and to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC' + v_series.width <= v_series.kept_from
    order by c.relname
  loop
    execute format('drop table %s', v_partition);
    v_dropped := v_dropped + 1;
  end loop;
  return v_dropped;
exception when lock_not_available then
  -- A long query reads the series. Whoever comes after it must not wait behind us: the next run tries again.
  return 0;
end
$$;

comment on function engine.drop_old(text) is
'Drops the partitions of a level of a series that end before what is kept, all or none of them; gives how '
'many. Gives up after two seconds of waiting for readers, so that nobody waits longer for it; the next call '
'tries again.';
