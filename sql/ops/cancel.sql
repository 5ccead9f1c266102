create function ops.cancel(p_job_id bigint)
returns text
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_status public.procrastinate_job_status;
begin
  select j.status into v_status
  from public.procrastinate_jobs as j
  where j.id = p_job_id
  for update;
  if v_status is null then
    raise exception 'there is no job %', p_job_id using
      errcode = 'no_data_found', hint = 'ops.job lists the jobs that are still kept.';
  elsif v_status not in ('todo', 'doing') then
    raise exception 'job % cannot be cancelled: it is % already', p_job_id, v_status
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  perform public.procrastinate_cancel_job_v1(p_job_id, true, false);
  return case v_status when 'todo' then 'cancelled' else 'abort requested' end;
end;
$$;

comment on function ops.cancel(bigint) is
'Cancels a job that waits (cancelled), or asks the worker of one that runs to abort it (abort '
'requested)';
