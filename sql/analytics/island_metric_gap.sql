-- requires: fortnite.metric_gap
create view analytics.island_metric_gap as
select
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  g.day,
  g.lost_at,
  m.read_at is not null as has_partial
from fortnite.metric_gap as g
inner join fortnite.island as i on g.island_id = i.island_id
left join fortnite.island_metric as m
  on
    g.island_id = m.island_id
    and m.ts = g.day::timestamp at time zone 'UTC'
    and m.bucket_minutes = 1440;

comment on view analytics.island_metric_gap is
'Days of islands whose metrics were missed and can no longer be had: upstream keeps seven days';
comment on column analytics.island_metric_gap.code is 'Link code';
comment on column analytics.island_metric_gap.title is 'Title, or the friendly name of an Epic mode';
comment on column analytics.island_metric_gap.day is 'The UTC day';
comment on column analytics.island_metric_gap.lost_at is 'Since when upstream does not tell it any more';
comment on column analytics.island_metric_gap.has_partial is
'Whether analytics.island_metric_day has what was read of the day while it ran';
