-- requires: jobs.requeue
create function jobs.finish(
  p_job_id bigint,
  p_attempts integer,
  p_status text,
  p_delete boolean,
  p_back boolean,
  p_run_id bigint,
  p_error text,
  p_numbers jsonb
)
returns boolean
language plpgsql
set search_path = public, pg_temp
as $$
declare
  v_abort_requested boolean;
  v_ours boolean;
begin
  -- attempts rises whenever the job leaves a worker: where it differs, the job is somebody else's by now
  select j.abort_requested into v_abort_requested
  from public.procrastinate_jobs as j
  where j.id = p_job_id and j.status = 'doing' and j.attempts = p_attempts
  for update;
  v_ours := found;

  if v_ours and p_back and not v_abort_requested then
    perform jobs.requeue(p_job_id);
  elsif v_ours then
    perform public.procrastinate_finish_job_v1(
      p_job_id, p_status::public.procrastinate_job_status, p_delete
    );
  end if;

  update ops.run as r
  set finished_at = clock_timestamp(), outcome = p_status, error = p_error, numbers = p_numbers
  where r.run_id = p_run_id and r.finished_at is null;
  return v_ours;
end;
$$;

comment on function jobs.finish(bigint, integer, text, boolean, boolean, bigint, text, jsonb) is
'Ends a run and its job in one transaction, or puts the job back into its queue; false, and the job '
'untouched, where it was taken from the worker meanwhile';
