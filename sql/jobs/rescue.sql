-- requires: jobs.lose
create function jobs.rescue(p_silent interval, p_most_attempts integer)
returns table (job_id bigint, task text, outcome text)
language plpgsql
set search_path = public, pg_temp
as $$
begin
  for job_id, task in
    select j.id, j.task_name
    from public.procrastinate_jobs as j
    left join public.procrastinate_workers as w on j.worker_id = w.id
    where j.status = 'doing' and (w.id is null or w.last_heartbeat < now() - p_silent)
    order by j.id
  loop
    outcome := jobs.lose(job_id, p_most_attempts, 'its worker went silent');
    return next;
  end loop;

  delete from public.procrastinate_workers as w
  where w.last_heartbeat < now() - p_silent;
end;
$$;

comment on function jobs.rescue(interval, integer) is
'Takes jobs away from workers that have been silent for so long, each by itself, says what became '
'of it, and forgets those workers';
