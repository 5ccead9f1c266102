-- requires: fortnite.apply_panels, fortnite.apply_placements, fortnite.link_kind, fortnite.meet_islands
-- requires: fortnite.mark_placements
create function fortnite.apply_surface(
  p_surface text,
  p_region text,
  p_taken_at timestamptz,
  p_whole boolean,
  p_panels text[],
  p_names text[],
  p_kinds text[],
  p_places integer[],
  p_read boolean[],
  p_hidden boolean[],
  p_entry_panels integer[],
  p_positions integer[],
  p_codes text[]
)
returns table (
  applied boolean,
  added integer,
  removed integer,
  moved integer,
  panels_added integer,
  panels_renamed integer,
  panels_dropped integer,
  discovered integer
)
language plpgsql
as $$
declare
  v_taken_at timestamptz;
  v_panels record;
  v_read integer[];
  v_placements record;
begin
  insert into fortnite.surface (surface, region, tried_at)
  values (p_surface, p_region, p_taken_at)
  on conflict do nothing;
  select s.taken_at into strict v_taken_at
  from fortnite.surface as s
  where s.surface = p_surface and s.region = p_region
  for no key update;
  applied := v_taken_at is null or v_taken_at < p_taken_at;
  if not applied then
    return next;
    return;
  end if;

  select * into strict v_panels
  from fortnite.apply_panels(
    p_surface, p_region, p_taken_at, p_whole, p_panels, p_names, p_kinds, p_places, p_read
  );
  v_read := array(
    select u.panel_id
    from unnest(v_panels.panel_ids, p_read) as u (panel_id, was_read)
    where u.was_read
  );
  select * into strict v_placements
  from fortnite.apply_placements(
    p_taken_at,
    v_read,
    v_panels.dropped_ids || array(
      select u.panel_id
      from unnest(v_panels.panel_ids, p_read, p_hidden) as u (panel_id, was_read, hidden)
      where u.was_read and not u.hidden
    ),
    array(
      select v_panels.panel_ids[u.nth]
      from unnest(p_entry_panels) with ordinality as u (nth, entry)
      order by u.entry
    ),
    p_positions,
    p_codes
  );

  insert into fortnite.surface_read (taken_at, surface, region, whole, panel_ids, unread_ids, entries)
  values (
    p_taken_at,
    p_surface,
    p_region,
    p_whole,
    v_read,
    array(select u.id from unnest(v_panels.panel_ids) as u (id) where u.id <> all(v_read)),
    cardinality(p_codes)
  );
  update fortnite.surface as s
  set
    taken_at = p_taken_at,
    tried_at = greatest(s.tried_at, p_taken_at),
    trouble = null
  where s.surface = p_surface and s.region = p_region;

  added := v_placements.added;
  removed := v_placements.removed;
  moved := v_placements.moved;
  panels_added := v_panels.panels_added;
  panels_renamed := v_panels.panels_renamed;
  panels_dropped := cardinality(v_panels.dropped_ids);
  discovered := fortnite.meet_islands(
    array(
      select u.code
      from unnest(v_placements.entered) as u (code)
      where fortnite.link_kind(u.code) = 'island'
    ),
    'discovery',
    p_taken_at
  );
  perform fortnite.mark_placements(
    v_placements.counted, v_panels.told_ids, v_placements.told_panels, v_placements.told_codes
  );
  return next;
end
$$;

comment on function fortnite.apply_surface(
  text, text, timestamptz, boolean, text[], text[], text[], integer[], boolean[], boolean[], integer[], integer[],
  text[]
) is
'Takes one read of a surface in a region over, in one transaction: panels, placements, their spans and events, and '
'islands met for the first time, to be crawled first; documents are marked. A read no later than the last one changes '
'nothing, so it may be sent twice and come late. p_read tells which panels were read to their end: of the others '
'nothing is said; p_hidden, in which of them an entry could not be read: there no code is taken to have left. p_whole '
'is false where a panel has no readable name: then none is taken to have been dropped. p_entry_panels counts panels '
'from 1; at most 5,000 entries';
