create function jobs.prune_runs(p_age interval, p_most integer) returns integer
language sql
as $$
  with old as (
    select r.run_id
    from ops.run as r
    where r.started_at < now() - p_age
    order by r.started_at
    limit p_most
  ),

  gone as (
    delete from ops.run as r using old as o where r.run_id = o.run_id returning r.run_id
  )

  select count(*)::integer from gone;
$$;

comment on function jobs.prune_runs(interval, integer) is
'Deletes runs that started longer ago than an age, at most so many; gives how many';
