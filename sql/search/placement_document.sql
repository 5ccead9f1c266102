-- requires: search.fold, fortnite.link_kind
create view search.placement_document as
select
  p.panel_id::text || ':' || p.code as id,
  row_to_json(d) as body
from fortnite.placement as p
inner join fortnite.panel as a on p.panel_id = a.panel_id
cross join lateral (
  select
    p.code,
    fortnite.link_kind(p.code) as kind,
    a.surface,
    a.region,
    a.panel,
    a.name as panel_name,
    a.kind as panel_kind,
    a.position as panel_position,
    p.position,
    p.since,
    p.entered_at,
    search.fold(coalesce(a.name, a.panel)) as folded_panel
) as d;

comment on view search.placement_document is
'Documents of index placement: who stands where on discovery now, one for a link code in a panel. What the code stands '
'for is in the document of its island, so that a placement changes with discovery alone';
comment on column search.placement_document.id is 'Key of the panel and link code';
comment on column search.placement_document.body is 'The document';
