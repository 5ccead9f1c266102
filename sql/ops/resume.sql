create function ops.resume(p_name text)
returns boolean
language sql
security definer
set search_path = public, pg_temp
as $$
  with gone as (delete from jobs.pause as p where p.name = p_name returning p.name)

  select exists (select from gone);
$$;

comment on function ops.resume(text) is
'Ends the pause of a task or queue: its jobs are taken again within seconds. False: it was not paused';
