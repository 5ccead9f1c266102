-- requires: fortnite.link_kind
create view analytics.placement_event as
select
  e.at,
  p.surface,
  p.region,
  p.panel,
  e.event,
  e.code,
  fortnite.link_kind(e.code) as kind,
  e.position,
  e.previous_position
from fortnite.placement_event as e
inner join fortnite.panel as p on e.panel_id = p.panel_id;

comment on view analytics.placement_event is 'Who entered, left or moved within a panel; ask by time or by panel';
comment on column analytics.placement_event.at is 'Read that showed it';
comment on column analytics.placement_event.surface is 'Surface of discovery';
comment on column analytics.placement_event.region is 'Matchmaking region';
comment on column analytics.placement_event.panel is 'Panel of the surface';
comment on column analytics.placement_event.event is 'ADDED, REMOVED or MOVED';
comment on column analytics.placement_event.code is 'Link code';
comment on column analytics.placement_event.kind is 'island, playlist, set, reference or other';
comment on column analytics.placement_event.position is 'Place from then on; null where it left';
comment on column analytics.placement_event.previous_position is 'Place before; null where it entered';
