-- Nobody but the roles of this folder calls anything of ours.
revoke all on all tables in schema analytics, engine, fortnite, jobs, ops, raw, search from public;
revoke all on all routines in schema analytics, engine, fortnite, jobs, ops, raw, search from public;

do $$
declare
  v_routine regprocedure;
begin
  for v_routine in
    select p.oid from pg_proc as p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'procrastinate\_%'
  loop
    execute format('revoke all on routine %s from public', v_routine);
  end loop;
end;
$$;
