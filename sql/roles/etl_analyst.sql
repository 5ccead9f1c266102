-- Analysts: read what was said, what was made of it and how the machinery fares; no secrets, no writing.
revoke all on all tables in schema analytics, engine, fortnite, jobs, ops, raw, search from etl_analyst;

grant usage on schema analytics, fortnite, ops, raw, search to etl_analyst;
grant select on all tables in schema analytics, fortnite, ops, raw to etl_analyst;

do $$
declare
  v_relation regclass;
  v_routine regprocedure;
begin
  for v_relation in
    select c.oid from pg_class as c
    where c.relnamespace = 'search'::regnamespace and c.relkind = 'v'
  loop
    execute format('grant select on %s to etl_analyst', v_relation);
  end loop;
  -- views call functions as whoever reads them; these read no more than their caller may
  for v_routine in
    select p.oid from pg_proc as p
    where
      p.pronamespace = any(
        '{analytics,engine,fortnite,ops,raw,search}'::regnamespace[]
      )
      and p.prokind = 'f'
      and p.provolatile <> 'v'
      and not p.prosecdef
  loop
    execute format('grant execute on function %s to etl_analyst', v_routine);
  end loop;
end;
$$;
