create view ops.schedule as
select
  t.name as task,
  t.queue,
  t.cron,
  t.about,
  p.paused_at,
  p.reason as pause_reason,
  j.waiting,
  j.running,
  r.started_at as last_started_at,
  r.finished_at as last_finished_at,
  r.outcome as last_outcome,
  r.error as last_error,
  r.numbers as last_numbers,
  s.finished_at as last_succeeded_at
from jobs.task as t
left join lateral (
  select
min(a.paused_at) as paused_at,
string_agg(a.reason, '; ' order by a.name) as reason
  from jobs.pause as a
  where a.name in (t.name, t.queue)
) as p on true
left join lateral (
  select
    count(*) filter (where q.status = 'todo') as waiting,
    count(*) filter (where q.status = 'doing') as running
  from public.procrastinate_jobs as q
  where q.task_name = t.name and q.status in ('todo', 'doing')
) as j on true
left join lateral (
  select
b.started_at,
b.finished_at,
b.outcome,
b.error,
b.numbers
  from ops.run as b
  where b.task = t.name
  order by b.started_at desc
  limit 1
) as r on true
left join lateral (
  select c.finished_at
  from ops.run as c
  where c.task = t.name and c.outcome = 'succeeded'
  order by c.started_at desc
  limit 1
) as s on true;

comment on view ops.schedule is 'Tasks, when they are due, and how they went last';
comment on column ops.schedule.task is 'Name of the task; ops.enqueue and ops.pause take it';
comment on column ops.schedule.queue is 'Queue its jobs go to';
comment on column ops.schedule.cron is
'When it is due, in UTC; a sixth field is seconds; null: only when asked for';
comment on column ops.schedule.about is 'What it does';
comment on column ops.schedule.paused_at is 'Since when it, or its queue, is paused; null: it is not';
comment on column ops.schedule.pause_reason is 'Why';
comment on column ops.schedule.waiting is 'Its jobs that wait';
comment on column ops.schedule.running is 'Its jobs that run';
comment on column ops.schedule.last_started_at is 'When its last run began';
comment on column ops.schedule.last_finished_at is 'When that ended; null: it runs';
comment on column ops.schedule.last_outcome is 'succeeded, failed, aborted, or lost with its worker';
comment on column ops.schedule.last_error is 'What went wrong';
comment on column ops.schedule.last_numbers is 'What it counted';
comment on column ops.schedule.last_succeeded_at is 'When it last ended well';
