create function fortnite.apply_panels(
  p_surface text,
  p_region text,
  p_taken_at timestamptz,
  p_whole boolean,
  p_panels text[],
  p_names text[],
  p_kinds text[],
  p_places integer[],
  p_read boolean[]
)
returns table (
  panel_ids integer[], dropped_ids integer[], told_ids integer[], panels_added integer, panels_renamed integer
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
begin
  -- A panel that is new comes as one that was never there, so that it is added as one that comes back.
  insert into fortnite.panel (surface, region, panel, position, first_seen_at, dropped_at)
  select
    p_surface,
    p_region,
    u.panel,
    u.place,
    p_taken_at,
    p_taken_at
  from unnest(p_panels, p_places) as u (panel, place)
  where not exists (
    select from fortnite.panel as p
    where p.surface = p_surface and p.region = p_region and p.panel = u.panel
  )
  order by u.panel collate "C";

  select coalesce(array_agg(p.panel_id order by u.nth), '{}') into panel_ids
  from unnest(p_panels) with ordinality as u (panel, nth)
  inner join fortnite.panel as p on p.surface = p_surface and p.region = p_region and u.panel = p.panel;

  select coalesce(array_agg(p.panel_id order by p.panel_id), '{}') into dropped_ids
  from fortnite.panel as p
  where
    p_whole
    and p.surface = p_surface
    and p.region = p_region
    and p.dropped_at is null
    and p.panel_id <> all(panel_ids);

  with logged as (
    insert into fortnite.panel_event (panel_id, at, event, name, previous_name)
    select
      p.panel_id,
      p_taken_at,
      case
        when u.panel_id is null then 'DROPPED'
        when p.dropped_at is null then 'RENAMED'
        else 'ADDED'
      end,
      case when u.panel_id is not null then coalesce(u.name, p.name) end,
      p.name
    from fortnite.panel as p
    left join unnest(panel_ids, p_names) as u (panel_id, name) on p.panel_id = u.panel_id
    where
      p.panel_id = any(panel_ids || dropped_ids)
      and (u.panel_id is null or p.dropped_at is not null or u.name <> coalesce(p.name, ''))
    order by p.panel_id
    returning event
  )

  select
    count(*) filter (where l.event = 'ADDED'),
    count(*) filter (where l.event = 'RENAMED')
  into panels_added, panels_renamed
  from logged as l;

  update fortnite.panel_span as s
  set until = p_taken_at
  from fortnite.panel as p
  left join unnest(panel_ids, p_names, p_places) as u (panel_id, name, place) on p.panel_id = u.panel_id
  where
    p.panel_id = any(panel_ids || dropped_ids)
    and s.panel_id = p.panel_id
    and s.until is null
    and (u.panel_id is null or u.place <> s.position or u.name <> coalesce(s.name, ''));
  insert into fortnite.panel_span (panel_id, position, since, name)
  select
    p.panel_id,
    u.place,
    p_taken_at,
    coalesce(u.name, p.name)
  from unnest(panel_ids, p_names, p_places) as u (panel_id, name, place)
  inner join fortnite.panel as p on u.panel_id = p.panel_id
  where not exists (select from fortnite.panel_span as s where s.panel_id = p.panel_id and s.until is null)
  order by p.panel_id;

  select coalesce(array_agg(p.panel_id order by p.panel_id), '{}') into told_ids
  from unnest(panel_ids, p_names, p_kinds, p_places) as u (panel_id, name, kind, place)
  inner join fortnite.panel as p on u.panel_id = p.panel_id
  where u.place <> p.position or u.name <> coalesce(p.name, '') or u.kind <> coalesce(p.kind, '');
  update fortnite.panel as p
  set
    name = coalesce(u.name, p.name),
    kind = coalesce(u.kind, p.kind),
    position = u.place,
    read_at = case when u.was_read then p_taken_at else p.read_at end,
    dropped_at = null
  from unnest(panel_ids, p_names, p_kinds, p_places, p_read) as u (panel_id, name, kind, place, was_read)
  where p.panel_id = u.panel_id;
  update fortnite.panel as p
  set dropped_at = p_taken_at
  where p.panel_id = any(dropped_ids);
  return next;
end
$$;

comment on function fortnite.apply_panels(
  text, text, timestamptz, boolean, text[], text[], text[], integer[], boolean[]
) is
'Brings the panels of a surface in a region to a read: new ones are added, other names and places noted, and, where '
'the read was whole, those it did not show are dropped; a name that is null is not known and stays. Gives the keys of '
'the panels as they came, of those that were dropped, and of those that have another name, kind or place now. The '
'surface is locked by the caller';
