create function jobs.prune(p_age interval, p_most integer)
returns table (jobs_deleted bigint, runs_deleted bigint)
language sql
set search_path = public, pg_temp
as $$
  with old_job as (
    select j.id
    from public.procrastinate_jobs as j
    where
      j.status not in ('todo', 'doing')
      and not exists (
        select from public.procrastinate_events as e where e.job_id = j.id and e.at >= now() - p_age
      )
    order by j.id
    limit p_most
    for update skip locked
  ),

  gone_job as (
    delete from public.procrastinate_jobs as j using old_job as o where j.id = o.id returning j.id
  ),

  old_run as (
    select r.run_id
    from ops.run as r
    where r.started_at < now() - p_age
    order by r.started_at
    limit p_most
  ),

  gone_run as (
    delete from ops.run as r using old_run as o where r.run_id = o.run_id returning r.run_id
  )

  select (select count(*) from gone_job), (select count(*) from gone_run);
$$;

comment on function jobs.prune(interval, integer) is
'Deletes jobs that ended and runs that started longer ago than an age, at most so many of each';
