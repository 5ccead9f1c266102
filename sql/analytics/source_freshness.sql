-- requires: fortnite.ccu_known
create view analytics.source_freshness as
select
  s.source,
  s.about,
  s.latest_at,
  s.usual,
  now() - s.latest_at as age,
  coalesce(now() - s.latest_at > s.usual * 3, true) as late
from (
  select
    'fortnite.ccu' as source,
    'latest cycle of players' as about,
    nullif(k.newest, '-infinity') as latest_at,
    interval '10 minutes' as usual
  from fortnite.ccu_known as k
  union all
  select
    'fortnite.ccu_hourly',
    'end of the stored hours of players',
    nullif(least(k.hours_until, k.groups_until), '-infinity'),
    interval '1 hour'
  from fortnite.ccu_known as k
  union all
  select
    'fortnite.ccu_daily',
    'end of the stored days of players',
    nullif(k.days_until, '-infinity'),
    interval '1 day'
  from fortnite.ccu_known as k
  union all
  select
    'fortnite.discovery',
    'latest read of a surface',
    max(f.taken_at),
    interval '10 minutes'
  from fortnite.surface as f
  union all
  select
    'fortnite.metrics',
    'latest read that changed a metric of these three days',
    max(m.read_at),
    interval '1 hour'
  from fortnite.island_metric as m
  where m.bucket_minutes = 1440 and m.ts >= date_trunc('day', now(), 'UTC') - interval '2 days'
  union all
  select
    'fortnite.ranking',
    'end of the latest day that was ranked',
    (max(g.day) + 1)::timestamp at time zone 'UTC',
    interval '1 day'
  from fortnite.ranking_row as g
  union all
  select
    t.source,
    t.about,
    (
      select r.finished_at
      from ops.run as r
      where r.task = t.source and r.outcome = 'succeeded'
      order by r.started_at desc
      limit 1
    ),
    t.usual
  from (
    values
    ('fortnite.catalogue', 'latest run that listed the catalogue', interval '30 minutes'),
    ('fortnite.island', 'latest run that fetched details', interval '1 minute'),
    ('fortnite.creator', 'latest run that fetched creators', interval '10 minutes')
  ) as t (source, about, usual)
) as s;

comment on view analytics.source_freshness is 'How fresh each source and what is made of it is';
comment on column analytics.source_freshness.source is 'Resource, roll-up or ranking';
comment on column analytics.source_freshness.about is 'What its instant stands for';
comment on column analytics.source_freshness.latest_at is 'That instant; null: never';
comment on column analytics.source_freshness.usual is 'How long the next one usually takes';
comment on column analytics.source_freshness.age is 'Time since then';
comment on column analytics.source_freshness.late is 'Whether three times as long has passed, or nothing ever came';
