create function engine.timescale_schema() returns name
language sql stable
begin atomic
  select n.nspname
  from pg_extension as x
  inner join pg_namespace as n on x.extnamespace = n.oid
  where x.extname = 'timescaledb';
end;

comment on function engine.timescale_schema() is 'Schema that has the functions of TimescaleDB.';
