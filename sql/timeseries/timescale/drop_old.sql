-- requires: engine.timescale_schema
create function engine.drop_old(p_relation text) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_series engine.series;
  v_dropped integer;
begin
  select s.* into strict v_series from engine.series as s where s.relation = p_relation;
  if v_series.kept_from = '-infinity' then
    return 0;
  end if;
  execute format('select count(*) from %I.drop_chunks($1::regclass, older_than => $2)', engine.timescale_schema())
  into v_dropped
  using v_series.store, v_series.kept_from;
  return v_dropped;
end
$$;

comment on function engine.drop_old(text) is
'Drops the chunks of a level of a series that end before what is kept; gives how many.';
