create view ops.queue as
select
  coalesce(t.queue, j.queue) as queue,
  coalesce(t.tasks, '{}') as tasks,
  coalesce(j.waiting, 0) as waiting,
  coalesce(j.running, 0) as running,
  coalesce(j.failed, 0) as failed,
  j.oldest_job_id,
  p.paused_at
from (
  select
d.queue,
array_agg(d.name order by d.name) as tasks
  from jobs.task as d
  group by d.queue
) as t
full join (
  select
    q.queue_name::text as queue,
    count(*) filter (where q.status = 'todo') as waiting,
    count(*) filter (where q.status = 'doing') as running,
    count(*) filter (where q.status = 'failed') as failed,
    min(q.id) filter (where q.status = 'todo') as oldest_job_id
  from public.procrastinate_jobs as q
  group by q.queue_name
) as j on t.queue = j.queue
left join jobs.pause as p on coalesce(t.queue, j.queue) = p.name;

comment on view ops.queue is 'Queues and what is in them';
comment on column ops.queue.queue is 'Name of the queue; ops.pause takes it';
comment on column ops.queue.tasks is 'Tasks whose jobs go there';
comment on column ops.queue.waiting is 'Jobs that wait, also for a later instant or a pause to end';
comment on column ops.queue.running is 'Jobs that run';
comment on column ops.queue.failed is 'Jobs that failed and are still kept';
comment on column ops.queue.oldest_job_id is 'The job that waits longest; see ops.job';
comment on column ops.queue.paused_at is 'Since when the whole queue is paused; null: it is not';
