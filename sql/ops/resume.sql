-- requires: jobs.wake
create function ops.resume(p_name text)
returns boolean
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  delete from jobs.pause as p where p.name = p_name;
  if not found then
    if not exists (select from jobs.task as t where p_name in (t.name, t.queue)) then
      raise exception 'no task or queue is named %, and nothing of that name is paused', p_name using
        errcode = 'undefined_object',
        hint = 'ops.schedule lists both, and since when they are paused.';
    end if;
    return false;
  end if;
  perform jobs.wake(t.queue)
  from (select distinct d.queue from jobs.task as d where p_name in (d.name, d.queue)) as t;
  return true;
end;
$$;

comment on function ops.resume(text) is
'Ends the pause of a task or queue: its jobs are taken again at once. False: it was not paused';
