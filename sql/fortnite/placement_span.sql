create view fortnite.placement_span as
select
  e.panel_id,
  e.code,
  e.position,
  e.since,
  e.until,
  e.entered_at
from fortnite.placement_ended as e
union all
select
  p.panel_id,
  p.code,
  p.position,
  p.since,
  null as until,
  p.entered_at
from fortnite.placement as p;

comment on view fortnite.placement_span is
'Who stood at which place of a panel from when to when: one span a stay at a place, one open span at most for a code '
'in a panel';
comment on column fortnite.placement_span.panel_id is 'The panel: surface and region with it';
comment on column fortnite.placement_span.code is 'Link code';
comment on column fortnite.placement_span.position is 'Place in the panel, from 1';
comment on column fortnite.placement_span.since is 'Read that showed it there first';
comment on column fortnite.placement_span.until is 'Read that showed it elsewhere or gone; null: it still stands there';
comment on column fortnite.placement_span.entered_at is
'Read that showed it in the panel first, this time: the same for all spans of one stay';
