create view ops.job as
select
  j.id as job_id,
  j.task_name::text as task,
  j.queue_name::text as queue,
  j.status::text as status,
  j.status = 'todo' and exists (
    select from jobs.pause as p
    where p.name in (j.task_name, j.queue_name)
  ) as paused,
  j.args as arguments,
  j.priority,
  j.lock,
  j.attempts,
  e.enqueued_at,
  j.scheduled_at,
  e.started_at,
  case when j.status not in ('todo', 'doing') then e.last_at end as ended_at,
  j.worker_id,
  w.name as worker,
  j.abort_requested
from public.procrastinate_jobs as j
left join jobs.worker as w on j.worker_id = w.worker_id
left join lateral (
  select
    min(v.at) filter (where v.type = 'deferred') as enqueued_at,
    max(v.at) filter (where v.type = 'started') as started_at,
    max(v.at) filter (where v.type <> 'scheduled') as last_at
  from public.procrastinate_events as v
  where v.job_id = j.id
) as e on true;

comment on view ops.job is 'Jobs that wait, run or ended; their history is in ops.run';
comment on column ops.job.job_id is 'Identity; ops.cancel and ops.retry take it';
comment on column ops.job.task is 'Name of the task';
comment on column ops.job.queue is 'Queue it is in';
comment on column ops.job.status is
'todo, doing, succeeded, failed, cancelled (before it ran) or aborted (while it ran)';
comment on column ops.job.paused is 'Whether it waits because its task or queue is paused';
comment on column ops.job.arguments is
'Arguments; timestamp is the tick of a periodic one, in seconds since 1970';
comment on column ops.job.priority is 'Jobs with a higher one run first';
comment on column ops.job.lock is 'No two jobs with the same one run at once';
comment on column ops.job.attempts is 'Runs that ended or were lost';
comment on column ops.job.enqueued_at is 'When it entered the queue';
comment on column ops.job.scheduled_at is 'Not before this instant; null: at once';
comment on column ops.job.started_at is 'When its last run began';
comment on column ops.job.ended_at is 'When it succeeded, failed, or was cancelled or aborted';
comment on column ops.job.worker_id is 'Worker that has or had it last';
comment on column ops.job.worker is 'Name of that worker while it lives';
comment on column ops.job.abort_requested is 'Whether it was asked to end while it runs';
