-- requires: jobs.wake
create function ops.retry(p_job_id bigint)
returns bigint
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_job public.procrastinate_jobs;
begin
  select * into v_job from public.procrastinate_jobs as j where j.id = p_job_id for update;
  if not found then
    raise exception 'there is no job %', p_job_id using
      errcode = 'no_data_found', hint = 'ops.job lists the jobs that are still kept.';
  elsif v_job.status in ('todo', 'doing') then
    raise exception 'job % cannot be retried: it is % still', p_job_id, v_job.status
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  update public.procrastinate_jobs as j
  set status = 'todo', scheduled_at = null, abort_requested = false, worker_id = null
  where j.id = p_job_id;
  perform jobs.wake(v_job.queue_name);
  return p_job_id;
exception when unique_violation then
  raise exception 'job % cannot be retried: another job of % waits already', p_job_id, v_job.task_name
    using errcode = 'object_not_in_prerequisite_state';
end;
$$;

comment on function ops.retry(bigint) is
'Puts a job that ended, however it did, back into its queue, to be lost with a worker as often as a '
'new one before it fails; returns its id';
