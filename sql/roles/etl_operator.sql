-- Operators: read everything but tokens, and act through the functions of ops alone.
revoke all on all tables in schema analytics, engine, fortnite, jobs, ops, raw, search from etl_operator;

grant usage on schema analytics, engine, fortnite, jobs, ops, raw, search to etl_operator;
grant select on all tables in schema analytics, engine, fortnite, jobs, ops, raw, search to etl_operator;
revoke select on engine.token from etl_operator;
grant execute on all routines in schema ops to etl_operator;

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
    execute format('grant select on %s to etl_operator', v_relation);
  end loop;
  -- views call functions as whoever reads them; these read no more than their caller may
  for v_routine in
    select p.oid from pg_proc as p
    where
      p.pronamespace = any('{analytics,engine,fortnite,raw,search}'::regnamespace[])
      and p.prokind = 'f'
      and p.provolatile <> 'v'
      and not p.prosecdef
  loop
    execute format('grant execute on function %s to etl_operator', v_routine);
  end loop;
end;
$$;
