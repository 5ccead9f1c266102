create view ops.aged as
select
  'ops.run' as relation,
  r.started_at as at
from ops.run as r
union all
select
  'public.procrastinate_jobs',
  (
    select max(e.at)
    from public.procrastinate_events as e
    where e.job_id = j.id
  )
from public.procrastinate_jobs as j
where j.status not in ('todo', 'doing')
union all
select
  'raw.rejected',
  x.rejected_at
from raw.rejected as x
union all
select
  'fortnite.island_metric',
  h.ts
from fortnite.island_metric_hour as h
union all
select
  'fortnite.island_metric',
  t.ts
from fortnite.island_metric_ten_minutes as t;

comment on view ops.aged is 'The age of every row that is deleted for it by itself, not with its partition';
comment on column ops.aged.relation is 'Table that has the row';
comment on column ops.aged.at is 'Instant it is counted from';
