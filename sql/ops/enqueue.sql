-- requires: jobs.wake
create function ops.enqueue(p_task text, p_arguments jsonb default '{}', p_at timestamptz default null)
returns bigint
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_task jobs.task;
  v_queueing_lock text;
  v_job_id bigint;
begin
  select * into v_task from jobs.task as t where t.name = p_task;
  if not found then
    raise exception 'no task is named %', p_task using
      errcode = 'undefined_object',
      hint = 'ops.schedule lists the tasks; a worker declares them when it starts.';
  end if;
  -- one for later keeps no tick out of the queue until then
  v_queueing_lock := case when p_at > now() then null else v_task.queueing_lock end;
  loop
    begin
      return (
        public.procrastinate_defer_jobs_v1(array[row(
          v_task.queue, v_task.name, v_task.priority, v_task.lock, v_queueing_lock,
          p_arguments, p_at
        )]::public.procrastinate_job_to_defer_v1 [])
      )[1];
    exception when unique_violation then
      -- one that a retry of the queue put off is wanted now
      update public.procrastinate_jobs as j
      set scheduled_at = null
      where j.queueing_lock = v_queueing_lock and j.status = 'todo' and j.scheduled_at > now()
      returning j.id into v_job_id;
      if found then
        perform jobs.wake(v_task.queue);
        return v_job_id;
      end if;
      select j.id into v_job_id
      from public.procrastinate_jobs as j
      where j.queueing_lock = v_queueing_lock and j.status = 'todo';
      if found then
        return v_job_id;
      end if; -- it was taken meanwhile: there is room for another one
    end;
  end loop;
end;
$$;

comment on function ops.enqueue(text, jsonb, timestamptz) is
'Queues a job of a task to run at once (null) and returns its id, or that of the one that waits already where the '
'task allows one; or one not to run before an instant, which holds up no tick';
