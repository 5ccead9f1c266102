create view analytics.tag_ccu_ten_minutes as
select
  h.ts + (n.nth - 1) * interval '10 minutes' as ts,
  h.name as tag,
  h.steps[n.nth] as ccu
from fortnite.ccu_group_hourly as h
cross join generate_series(1, 6) as n (nth)
where h.kind = 'tag' and h.steps[n.nth] is not null;

comment on view analytics.tag_ccu_ten_minutes is
'Players of the islands of a tag, by cycle of the hours that are stored. A cycle in which no island of the tag '
'was sampled has no row';
comment on column analytics.tag_ccu_ten_minutes.ts is 'Start of the ten minutes (UTC)';
comment on column analytics.tag_ccu_ten_minutes.tag is 'The tag islands had then; empty: islands without one';
comment on column analytics.tag_ccu_ten_minutes.ccu is 'Players in their samples';
