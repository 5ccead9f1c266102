-- requires: jobs.requeue
create function jobs.lose(p_job_id bigint, p_most_attempts integer, p_reason text)
returns text
language plpgsql
set search_path = public, pg_temp
as $$
declare
  v_job public.procrastinate_jobs;
  v_since timestamptz;
  v_lost bigint;
begin
  select * into v_job
  from public.procrastinate_jobs as j
  where j.id = p_job_id and j.status = 'doing'
  for update skip locked;
  if not found then
    return 'settled';
  end if;

  update ops.run as r
  set finished_at = clock_timestamp(), outcome = 'lost', error = p_reason
  where
    r.task = v_job.task_name
    and r.job_id = v_job.id
    and r.finished_at is null
    and r.started_at >= (
      select max(e.at) from public.procrastinate_events as e
      where e.job_id = v_job.id and e.type = 'started'
    );

  if v_job.abort_requested then
    perform public.procrastinate_finish_job_v1(p_job_id, 'aborted', false);
    return 'aborted';
  end if;

  -- one that ended, even by being lost too often, and was put back by hand has all its chances again
  select
    coalesce(
      max(e.at) filter (where e.type in ('succeeded', 'failed', 'cancelled', 'aborted')), min(e.at)
    )
  into v_since
  from public.procrastinate_events as e
  where e.job_id = p_job_id;
  select count(*) into v_lost
  from ops.run as r
  where
    r.task = v_job.task_name
    and r.job_id = p_job_id
    and r.outcome = 'lost'
    and r.started_at >= v_since;
  if v_lost >= p_most_attempts then
    perform public.procrastinate_finish_job_v1(p_job_id, 'failed', false);
    return 'failed';
  end if;
  return jobs.requeue(p_job_id);
end;
$$;

comment on function jobs.lose(bigint, integer, text) is
'Ends the run of a job whose worker is gone as lost and puts the job back: requeued, superseded, '
'aborted (on request), failed (lost too often) or settled';
