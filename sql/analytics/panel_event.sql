create view analytics.panel_event as
select
  e.at,
  p.surface,
  p.region,
  p.panel,
  e.event,
  e.name,
  e.previous_name
from fortnite.panel_event as e
inner join fortnite.panel as p on e.panel_id = p.panel_id;

comment on view analytics.panel_event is 'Panels that upstream added, renamed or dropped';
comment on column analytics.panel_event.at is 'Read that showed it';
comment on column analytics.panel_event.surface is 'Surface of discovery';
comment on column analytics.panel_event.region is 'Matchmaking region';
comment on column analytics.panel_event.panel is 'The panel';
comment on column analytics.panel_event.event is 'ADDED (also when it came back), RENAMED or DROPPED';
comment on column analytics.panel_event.name is 'Name shown to players from then on; null where dropped';
comment on column analytics.panel_event.previous_name is 'Name before; null where there was none';
