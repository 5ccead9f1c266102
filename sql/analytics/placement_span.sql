-- requires: fortnite.link_kind, fortnite.placement_span
create view analytics.placement_span as
select
  p.surface,
  p.region,
  p.panel,
  s.position,
  s.code,
  fortnite.link_kind(s.code) as kind,
  s.since,
  s.until,
  s.entered_at,
  extract(
    epoch from coalesce(s.until, p.read_at + interval '10 minutes') - s.since
  )::bigint / 60 as minutes
from fortnite.placement_span as s
inner join fortnite.panel as p on s.panel_id = p.panel_id;

comment on view analytics.placement_span is
'Who stood at which place of a panel from when to when; look it up by code, by panel or by time';
comment on column analytics.placement_span.surface is 'Surface of discovery';
comment on column analytics.placement_span.region is 'Matchmaking region';
comment on column analytics.placement_span.panel is 'Panel of the surface';
comment on column analytics.placement_span.position is 'Place in the panel, from 1';
comment on column analytics.placement_span.code is 'Link code';
comment on column analytics.placement_span.kind is 'island, playlist, set, reference or other';
comment on column analytics.placement_span.since is 'Read that showed it there first';
comment on column analytics.placement_span.until is 'Read that showed it elsewhere or gone; null: it is still there';
comment on column analytics.placement_span.entered_at is 'Read that showed it in the panel first, this time';
comment on column analytics.placement_span.minutes is
'Minutes it stood there; where it still does, until ten minutes after the latest read of the panel';
