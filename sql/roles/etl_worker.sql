-- Workers: read and write every row, call every function, change no table.

revoke all on all tables in schema analytics, engine, fortnite, jobs, ops, raw, search from etl_worker;

grant usage on schema analytics, engine, fortnite, jobs, ops, raw, search to etl_worker;
grant select, insert, update, delete
on all tables in schema analytics, engine, fortnite, jobs, ops, raw, search to etl_worker;

-- Only its owner refreshes a continuous aggregate, and that cannot be lent: it runs in no function.
do $$
declare
  v_aggregate regclass;
begin
  if to_regclass('timescaledb_information.continuous_aggregates') is null then
    return;
  end if;
  for v_aggregate in
    execute
      'select format(''%I.%I'', c.view_schema, c.view_name)::regclass'
      ' from timescaledb_information.continuous_aggregates as c'
  loop
    begin
      execute format('alter materialized view %s owner to etl_worker', v_aggregate);
      -- whole again after the revoke above: what an owner lacks, its new chunks lack too, and cannot be made
      execute format('grant all on %s to etl_worker', v_aggregate);
    exception when insufficient_privilege then
      raise warning 'etl_worker cannot refresh %: % may not give it away; let workers connect as its owner',
        v_aggregate, current_user;
    end;
  end loop;
end;
$$;
grant all on all sequences in schema analytics, engine, fortnite, jobs, ops, raw, search to etl_worker;
grant execute on all routines in schema analytics, engine, fortnite, jobs, ops, raw, search to etl_worker;

-- what migrate remembers of itself
revoke insert, update, delete
on engine.alembic_version, engine.migration, engine.sql_object from etl_worker;

do $$
declare
  v_relation regclass;
  v_routine regprocedure;
begin
  for v_relation in
    select c.oid from pg_class as c
    where
      c.relnamespace = 'public'::regnamespace
      and c.relkind = 'r'
      and c.relname like 'procrastinate\_%'
  loop
    execute format('grant select, insert, update, delete on %s to etl_worker', v_relation);
  end loop;
  for v_relation in
    select c.oid from pg_class as c
    where
      c.relnamespace = 'public'::regnamespace
      and c.relkind = 'S'
      and c.relname like 'procrastinate\_%'
  loop
    execute format('grant all on sequence %s to etl_worker', v_relation);
  end loop;
  for v_routine in
    select p.oid from pg_proc as p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'procrastinate\_%'
  loop
    execute format('grant execute on routine %s to etl_worker', v_routine);
  end loop;
end;
$$;
