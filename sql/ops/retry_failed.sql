-- requires: ops.retry
create function ops.retry_failed(p_task text default null)
returns integer
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_job_id bigint;
  v_retried integer := 0;
begin
  if p_task is not null
    and not exists (select from jobs.task as t where t.name = p_task)
    and not exists (select from public.procrastinate_jobs as j where j.task_name = p_task)
  then
    raise exception 'no task is named %', p_task using
      errcode = 'undefined_object',
      hint = 'ops.schedule lists the tasks; a worker declares them when it starts.';
  end if;
  for v_job_id in
    select j.id
    from public.procrastinate_jobs as j
    where j.status = 'failed' and (p_task is null or j.task_name = p_task)
    order by j.id
    for update skip locked
  loop
    begin
      perform ops.retry(v_job_id);
      v_retried := v_retried + 1;
    exception when object_not_in_prerequisite_state then
      null; -- one that waits already does its work
    end;
  end loop;
  return v_retried;
end;
$$;

comment on function ops.retry_failed(text) is
'Puts every failed job of a task, or of all (null), back into its queue as ops.retry does; one stays '
'where its successor waits already. Gives how many were put back';
