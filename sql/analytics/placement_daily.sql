-- requires: fortnite.link_kind
create view analytics.placement_daily as
select
  d.day,
  p.surface,
  p.region,
  p.panel,
  d.code,
  fortnite.link_kind(d.code) as kind,
  d.appearances,
  d.minutes,
  d.best_position,
  d.average_position,
  d.reads
from fortnite.placement_daily as d
inner join fortnite.panel as p on d.panel_id = p.panel_id;

comment on view analytics.placement_daily is
'A UTC day of a link code in a panel of a region. Minutes of several panels or regions overlap: their sum is no time';
comment on column analytics.placement_daily.day is 'UTC day';
comment on column analytics.placement_daily.surface is 'Surface of discovery';
comment on column analytics.placement_daily.region is 'Matchmaking region';
comment on column analytics.placement_daily.panel is 'Panel of the surface';
comment on column analytics.placement_daily.code is 'Link code';
comment on column analytics.placement_daily.kind is 'island, playlist, set, reference or other';
comment on column analytics.placement_daily.appearances is 'Stays in the panel that touched the day';
comment on column analytics.placement_daily.minutes is 'Minutes of the day in the panel';
comment on column analytics.placement_daily.best_position is 'Lowest place it had that day';
comment on column analytics.placement_daily.average_position is 'Mean place, each weighted by its minutes';
comment on column analytics.placement_daily.reads is 'Reads of the panel that day, of 144: few say little';
