create function ops.enqueue(p_task text, p_arguments jsonb default '{}', p_at timestamptz default null)
returns bigint
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_task jobs.task;
  v_job_id bigint;
begin
  select * into v_task from jobs.task as t where t.name = p_task;
  if not found then
    raise exception 'no task is named %', p_task using
      errcode = 'undefined_object',
      hint = 'ops.schedule lists the tasks; a worker declares them when it starts.';
  end if;
  loop
    begin
      return (
        public.procrastinate_defer_jobs_v1(array[row(
          v_task.queue, v_task.name, v_task.priority, v_task.lock, v_task.queueing_lock,
          p_arguments, p_at
        )]::public.procrastinate_job_to_defer_v1 [])
      )[1];
    exception when unique_violation then
      select j.id into v_job_id
      from public.procrastinate_jobs as j
      where j.queueing_lock = v_task.queueing_lock and j.status = 'todo';
      if found then
        return v_job_id;
      end if; -- it was taken meanwhile: there is room for another one
    end;
  end loop;
end;
$$;

comment on function ops.enqueue(text, jsonb, timestamptz) is
'Queues a job of a task, not to run before an instant (null: at once); returns its id, or that of '
'the one that waits already where the task allows one';
