-- requires: fortnite.link_kind, fortnite.placement_span
create function analytics.surface_at(p_surface text, p_region text, p_at timestamptz)
returns table (
  panel_place integer,
  panel text,
  panel_name text,
  place integer,
  code text,
  kind text,
  title text,
  since timestamptz,
  entered_at timestamptz,
  read_at timestamptz
)
language sql
stable
begin atomic
  select
    ps.position as panel_place,
    p.panel,
    ps.name,
    s.position as place,
    s.code,
    fortnite.link_kind(s.code),
    coalesce(i.title, i.display_name),
    s.since,
    s.entered_at,
    (
      select r.taken_at
      from fortnite.surface_read as r
      where
        r.surface = p_surface
        and r.region = p_region
        and r.taken_at <= p_at
        and p.panel_id = any(r.panel_ids)
      order by r.taken_at desc
      limit 1
    )
  from fortnite.panel as p
  inner join fortnite.panel_span as ps
    on p.panel_id = ps.panel_id and ps.since <= p_at and (ps.until > p_at or ps.until is null)
  left join fortnite.placement_span as s
    on p.panel_id = s.panel_id and tstzrange(s.since, s.until) @> p_at
  left join fortnite.island as i on s.code = i.code
  where p.surface = p_surface and p.region = p_region
  order by ps.position, p.panel, s.position, s.code;
end;

comment on function analytics.surface_at(text, text, timestamptz) is
'What a surface looked like in a region at an instant: its panels in order, with the names they had, and who stood '
'where; a panel with nothing in it is one row without a code. read_at is the read that this is known from: null, or '
'long before the instant, says that the panel could not be read';
