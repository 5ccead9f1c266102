-- requires: engine.partitions, ops.aged
create view ops.retention as
with held as (
  select
    s.relation,
    s.retention_setting,
    s.compression_setting,
    p.partitions,
    coalesce(p.rows, t.rows) as rows,
    coalesce(p.bytes, t.bytes) as bytes,
    p.compressed,
    p.oldest,
    p.first_end
  from engine.series as s
  cross join lateral (
    select
      nullif(count(*), 0)::integer as partitions,
      sum(r.row_estimate)::bigint as rows,
      sum(r.bytes)::bigint as bytes,
      case
        when s.compression_setting is not null
          then coalesce(sum(r.row_estimate) filter (where r.compressed) / nullif(sum(r.row_estimate), 0), 0)::real
      end as compressed,
      min(r.starts_at) filter (where r.filled) as oldest,
      min(r.ends_at) filter (where r.filled) as first_end
    from engine.partitions(s.store, s.width) as r
  ) as p
  cross join lateral (
    select
      greatest(c.reltuples, 0)::bigint as rows,
      pg_total_relation_size(c.oid) as bytes
    from pg_class as c
    where c.oid = s.store::regclass
  ) as t
  union all
  select
    a.relation,
    a.retention_setting,
    null,
    null,
    (
      select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
      from pg_class as c
      where c.oid = any(a.tables)
    ),
    (select sum(pg_total_relation_size(t.id))::bigint from unnest(a.tables) as t (id)),
    null,
    a.oldest,
    a.oldest as first_end
  from (
    values
    (
      'ops.run', 'run_retention_days', array['ops.run'::regclass],
      (
        select min(g.at)
        from ops.aged as g
        where g.relation = 'ops.run'
      )
    ),
    (
      'public.procrastinate_jobs', 'run_retention_days', array['public.procrastinate_jobs'::regclass],
      (
        select min(g.at)
        from ops.aged as g
        where g.relation = 'public.procrastinate_jobs'
      )
    ),
    (
      'raw.rejected', 'rejected_retention_days', array['raw.rejected'::regclass],
      (
        select min(g.at)
        from ops.aged as g
        where g.relation = 'raw.rejected'
      )
    ),
    (
      'fortnite.island_metric', 'fortnite_metrics_fine_days',
      array['fortnite.island_metric_hour'::regclass, 'fortnite.island_metric_ten_minutes'::regclass],
      (
        select min(g.at)
        from ops.aged as g
        where g.relation = 'fortnite.island_metric'
      )
    )
  ) as a (relation, retention_setting, tables, oldest)
)

select
  h.relation,
  (w.value ->> h.retention_setting)::integer as kept_days,
  (w.value ->> h.compression_setting)::integer as compressed_days,
  h.rows,
  h.bytes,
  h.partitions,
  h.compressed,
  h.oldest,
  h.first_end + make_interval(hours => 24 * (w.value ->> h.retention_setting)::integer) as next_drop_at,
  w.moved_at as ran_at,
  h.retention_setting,
  h.compression_setting
from held as h
left join engine.watermark as w on w.name = 'retention';

comment on view ops.retention is 'What is kept for an age, and the time series that are kept for ever';
comment on column ops.retention.relation is 'What is kept';
comment on column ops.retention.kept_days is
'Days it is kept, as the last retention had it; null: for ever, or no retention ran yet';
comment on column ops.retention.compressed_days is
'Days after which it is compressed where TimescaleDB holds it, as the last retention had it; null: never';
comment on column ops.retention.rows is 'Rows, as of the last analyze or compression';
comment on column ops.retention.bytes is 'Bytes on disk, indexes and all';
comment on column ops.retention.partitions is
'Partitions or chunks it lies in, which go as a whole; null: rows go by themselves';
comment on column ops.retention.compressed is 'Part of its rows that is compressed, 0 to 1; null: it never is';
comment on column ops.retention.oldest is
'Start of the oldest partition that has rows, or instant of the oldest row; null: none';
comment on column ops.retention.next_drop_at is
'When the oldest of it is old enough to go, with the next retention; null: never';
comment on column ops.retention.ran_at is 'When the last retention ran';
comment on column ops.retention.retention_setting is 'Option that says how many days it is kept; null: for ever';
comment on column ops.retention.compression_setting is
'Option that says after how many days it is compressed; null: never';
