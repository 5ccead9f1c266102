create function jobs.fetch(p_queues text[], p_worker_id bigint, p_worker text)
returns table (
  id bigint, status text, task_name text, priority integer, lock text, queueing_lock text, args jsonb,
  scheduled_at timestamptz, queue_name text, attempts integer, worker_id bigint, run_id bigint
)
language plpgsql
set search_path = public, pg_temp
-- one plan whatever the statistics: a walk along the queue that stops at the first fit
set plan_cache_mode = force_generic_plan
set enable_sort = off
as $$
#variable_conflict use_column
declare
  v_paused text[] := array(select p.name from jobs.pause as p);
begin
  return query
  with candidate as (
    select j.id
    from public.procrastinate_jobs as j
    where
      j.status = 'todo'
      and (p_queues is null or j.queue_name = any(p_queues))
      and (j.scheduled_at is null or j.scheduled_at <= now())
      and not array[j.task_name, j.queue_name]::text [] && v_paused
      -- of the jobs with one lock only the first that is due runs, and only when none does
      and not exists (
        select from public.procrastinate_jobs as o
        where
          j.lock is not null
          and o.lock = j.lock
          and (
            o.status = 'doing'
            or (
              o.status = 'todo'
              and (o.scheduled_at is null or o.scheduled_at <= now())
              and (o.priority > j.priority or (o.priority = j.priority and o.id < j.id))
            )
          )
      )
    order by j.priority desc, j.id
    limit 1
    for update of j skip locked
  ),

  taken as (
    update public.procrastinate_jobs as j
    set status = 'doing', worker_id = p_worker_id
    from candidate as c
    where j.id = c.id
    returning j.*
  ),

  started as (
    insert into ops.run (job_id, task, attempt, worker)
    select t.id, t.task_name, t.attempts + 1, p_worker
    from taken as t
    returning run_id
  )

  select
    t.id, t.status::text, t.task_name::text, t.priority, t.lock, t.queueing_lock, t.args,
    t.scheduled_at, t.queue_name::text, t.attempts, t.worker_id, s.run_id
  from taken as t
  cross join started as s;
end;
$$;

comment on function jobs.fetch(text[], bigint, text) is
'Takes the next job for a worker, unless its task or queue is paused, and opens its ops.run row in '
'the same transaction';
