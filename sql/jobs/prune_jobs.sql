create function jobs.prune_jobs(p_age interval, p_most integer) returns integer
language sql
set search_path = public, pg_temp
as $$
  with old as (
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

  gone as (
    delete from public.procrastinate_jobs as j using old as o where j.id = o.id returning j.id
  )

  select count(*)::integer from gone;
$$;

comment on function jobs.prune_jobs(interval, integer) is
'Deletes jobs that ended longer ago than an age, at most so many; gives how many';
