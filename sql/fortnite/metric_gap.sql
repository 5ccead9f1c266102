-- requires: fortnite.metric_kept_from
create view fortnite.metric_gap as
select
  l.island_id,
  l.day,
  (l.day + 7)::timestamp at time zone 'UTC' as lost_at
from fortnite.island_metric_lost as l
union all
select
  m.island_id,
  d.day::date,
  (d.day + interval '7 days') at time zone 'UTC'
from fortnite.island_metric_state as m
inner join fortnite.island as i on m.island_id = i.island_id
inner join engine.crawl as c on c.resource = 'fortnite.metrics' and i.code = c.key
cross join lateral generate_series(
  (m.read_through + 1)::timestamp,
  fortnite.metric_kept_from(now())::timestamp - interval '1 day',
  interval '1 day'
) as d (day)
where c.state <> 'gone';

comment on view fortnite.metric_gap is
'Watched days of islands that were not read after they had closed and that upstream keeps no more: gaps that can no
longer be filled. A day in it may have a row of what was read while it ran';
comment on column fortnite.metric_gap.island_id is 'The island';
comment on column fortnite.metric_gap.day is 'The UTC day';
comment on column fortnite.metric_gap.lost_at is 'Since when upstream does not tell it any more';
