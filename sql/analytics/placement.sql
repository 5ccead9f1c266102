-- requires: fortnite.link_kind
create view analytics.placement as
select
  p.surface,
  p.region,
  p.panel,
  p.name as panel_name,
  p.position as panel_position,
  c.position,
  c.code,
  fortnite.link_kind(c.code) as kind,
  coalesce(i.title, i.display_name) as title,
  c.since,
  c.entered_at,
  p.read_at
from fortnite.placement as c
inner join fortnite.panel as p on c.panel_id = p.panel_id
left join fortnite.island as i on c.code = i.code;

comment on view analytics.placement is
'Who stands where in discovery now. A panel that could not be read keeps what it showed last: see read_at';
comment on column analytics.placement.surface is 'Surface of discovery';
comment on column analytics.placement.region is 'Matchmaking region';
comment on column analytics.placement.panel is 'Panel of the surface';
comment on column analytics.placement.panel_name is 'Name shown to players';
comment on column analytics.placement.panel_position is 'Place of the panel on the surface, from 1';
comment on column analytics.placement.position is 'Place in the panel, from 1';
comment on column analytics.placement.code is 'Link code';
comment on column analytics.placement.kind is 'island, playlist, set, reference or other';
comment on column analytics.placement.title is 'Title of the island; null: not known, or no island';
comment on column analytics.placement.since is 'Read that showed it at this place first';
comment on column analytics.placement.entered_at is 'Read that showed it in the panel first, this time';
comment on column analytics.placement.read_at is 'Latest read of the panel';
