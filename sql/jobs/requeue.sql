-- requires: jobs.wake
create function jobs.requeue(p_job_id bigint)
returns text
language plpgsql
set search_path = public, pg_temp
as $$
declare
  v_queue text;
begin
  update public.procrastinate_jobs as j
  set status = 'todo', attempts = j.attempts + 1, scheduled_at = null, worker_id = null
  where j.id = p_job_id and j.status = 'doing'
  returning j.queue_name into v_queue;
  perform jobs.wake(v_queue);
  return 'requeued';
exception when unique_violation then
  -- one with the same queueing lock waits already and will do its work
  perform public.procrastinate_finish_job_v1(p_job_id, 'aborted', false);
  return 'superseded';
end;
$$;

comment on function jobs.requeue(bigint) is
'Puts a running job back into its queue: requeued, or superseded where its successor waits there '
'already';
