create view ops.worker as
select
  w.id as worker_id,
  i.name,
  i.host,
  i.pid,
  i.queues,
  i.concurrency,
  i.started_at,
  w.last_heartbeat as heartbeat_at,
  extract(epoch from now() - w.last_heartbeat)::double precision as silent_seconds,
  coalesce(j.running, 0) as running
from public.procrastinate_workers as w
left join jobs.worker as i on w.id = i.worker_id
left join (
  select
d.worker_id,
count(*) as running
  from public.procrastinate_jobs as d
  where d.status = 'doing'
  group by d.worker_id
) as j on w.id = j.worker_id;

comment on view ops.worker is 'Workers that run, or went silent and were not missed yet';
comment on column ops.worker.worker_id is 'Identity, drawn at its start';
comment on column ops.worker.name is 'Name it was given';
comment on column ops.worker.host is 'Machine it runs on';
comment on column ops.worker.pid is 'Its process there';
comment on column ops.worker.queues is 'Queues it takes jobs from; null: all';
comment on column ops.worker.concurrency is 'Jobs it runs at once';
comment on column ops.worker.started_at is 'When it started';
comment on column ops.worker.heartbeat_at is 'Its last sign of life';
comment on column ops.worker.silent_seconds is
'Seconds since then; beyond ETL_WORKER_SILENCE its jobs are taken from it';
comment on column ops.worker.running is 'Jobs it has in hand';
