create function ops.pause(p_name text, p_reason text default null)
returns timestamptz
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_paused_at timestamptz;
begin
  if not exists (select from jobs.task as t where p_name in (t.name, t.queue)) then
    raise exception 'no task or queue is named %', p_name using
      errcode = 'undefined_object',
      hint = 'ops.schedule lists both; a worker declares them when it starts.';
  end if;
  insert into jobs.pause as p (name, reason) values (p_name, p_reason)
  on conflict (name) do update set reason = coalesce(excluded.reason, p.reason)
  returning p.paused_at into v_paused_at;
  return v_paused_at;
end;
$$;

comment on function ops.pause(text, text) is
'From now on no worker takes a job of a task or of a queue; what runs ends, what comes waits. '
'Returns since when';
