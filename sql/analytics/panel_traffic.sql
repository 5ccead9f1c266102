-- requires: fortnite.link_kind
create function analytics.panel_traffic(p_surface text, p_region text, p_panel text, p_day date)
returns table (
  at timestamptz,
  event text,
  code text,
  kind text,
  title text,
  place integer,
  minutes integer
)
language sql
stable
set timezone = 'UTC'
begin atomic
  select
    e.at,
    case e.event when 'ADDED' then 'entered' else 'left' end,
    e.code,
    fortnite.link_kind(e.code),
    coalesce(i.title, i.display_name),
    coalesce(e.position, e.previous_position),
    (
      select (extract(epoch from e.at - s.entered_at)::bigint / 60)::integer
      from fortnite.placement_ended as s
      where e.event = 'REMOVED' and s.code = e.code and s.until = e.at and s.panel_id = e.panel_id
    )
  from fortnite.panel as p
  inner join fortnite.placement_event as e on p.panel_id = e.panel_id
  left join fortnite.island as i on e.code = i.code
  where
    p.surface = p_surface
    and p.region = p_region
    and p.panel = p_panel
    and e.event <> 'MOVED'
    and e.at >= p_day::timestamptz
    and e.at < (p_day + 1)::timestamptz
  order by e.at, e.event, coalesce(e.position, e.previous_position), e.code;
end;

comment on function analytics.panel_traffic(text, text, text, date) is
'Who entered and who left a panel on a UTC day, in the order of the reads that showed it: the place it entered at or '
'left from, and, of who left, the minutes of its stay';
