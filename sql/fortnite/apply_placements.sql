create function fortnite.apply_placements(
  p_taken_at timestamptz,
  p_shown integer[],
  p_cleared integer[],
  p_panels integer[],
  p_positions integer[],
  p_codes text[]
)
returns table (
  added integer,
  removed integer,
  moved integer,
  entered text[],
  counted text[],
  told_panels integer[],
  told_codes text[]
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  v_panels integer[];
  v_codes text[];
  v_positions integer[];
  v_previous integer[];
  v_since timestamptz[];
  v_entered timestamptz[];
begin
  select
    array_agg(d.panel_id order by d.panel_id, d.code),
    array_agg(d.code order by d.panel_id, d.code),
    array_agg(d.position order by d.panel_id, d.code),
    array_agg(d.previous order by d.panel_id, d.code),
    array_agg(d.since order by d.panel_id, d.code),
    array_agg(d.entered_at order by d.panel_id, d.code),
    array_agg(d.code order by d.code) filter (where d.previous is null),
    array_agg(distinct d.code) filter (where d.previous is null or d.position is null),
    count(*) filter (where d.previous is null),
    count(*) filter (where d.position is null),
    count(*) filter (where d.position <> d.previous)
  into v_panels, v_codes, v_positions, v_previous, v_since, v_entered, entered, counted, added, removed, moved
  from (
    select
      coalesce(t.panel_id, c.panel_id) as panel_id,
      coalesce(t.code, c.code) collate "C" as code,
      t.position,
      c.position as previous,
      c.since,
      c.entered_at
    from (
      select
        u.panel_id,
        u.code collate "C" as code,
        min(u.position) as position
      from unnest(p_panels, p_positions, p_codes) as u (panel_id, position, code)
      group by u.panel_id, u.code collate "C"
    ) as t
    full join (
      select p.*
      from fortnite.placement as p
      where p.panel_id = any(p_shown || p_cleared)
    ) as c on t.panel_id = c.panel_id and t.code = c.code
    where
      t.position is distinct from c.position
      and (t.position is not null or c.panel_id = any(p_cleared))
  ) as d;
  if v_panels is null then
    return next;
    return;
  end if;
  told_panels := v_panels;
  told_codes := v_codes;

  delete from fortnite.placement as p
  using unnest(v_panels, v_codes, v_positions) as u (panel_id, code, position)
  where p.panel_id = u.panel_id and p.code = u.code and u.position is null;
  update fortnite.placement as p
  set
    position = u.position,
    since = p_taken_at
  from unnest(v_panels, v_codes, v_positions) as u (panel_id, code, position)
  where p.panel_id = u.panel_id and p.code = u.code;
  insert into fortnite.placement (panel_id, code, position, since, entered_at)
  select
    u.panel_id,
    u.code,
    u.position,
    p_taken_at,
    p_taken_at
  from unnest(v_panels, v_codes, v_positions, v_previous) as u (panel_id, code, position, previous)
  where u.previous is null;

  insert into fortnite.placement_ended (panel_id, code, position, since, until, entered_at)
  select
    u.panel_id,
    u.code,
    u.previous,
    u.since,
    p_taken_at,
    u.entered_at
  from unnest(v_panels, v_codes, v_previous, v_since, v_entered)
    as u (panel_id, code, previous, since, entered_at)
  where u.previous is not null;
  insert into fortnite.placement_event (panel_id, at, code, event, position, previous_position)
  select
    u.panel_id,
    p_taken_at,
    u.code,
    case when u.previous is null then 'ADDED' when u.position is null then 'REMOVED' else 'MOVED' end,
    u.position,
    u.previous
  from unnest(v_panels, v_codes, v_positions, v_previous) as u (panel_id, code, position, previous);

  insert into fortnite.first_placement as f (panel_id, seen_at, code)
  select
    min(u.panel_id),
    p_taken_at,
    u.code
  from unnest(v_panels, v_codes, v_previous) as u (panel_id, code, previous)
  where
    u.previous is null
    and not exists (select from fortnite.first_placement as k where k.code = u.code and k.seen_at <= p_taken_at)
  group by u.code
  order by u.code collate "C"
  on conflict (code) do update
    set
      panel_id = excluded.panel_id,
      seen_at = excluded.seen_at
    where f.seen_at > excluded.seen_at;
  return next;
end
$$;

comment on function fortnite.apply_placements(timestamptz, integer[], integer[], integer[], integer[], text[]) is
'Brings the placements of panels to a read: spans, events and who stands where. p_shown are the panels whose entries '
'are given, p_cleared those in which a code that is not given has left. Gives how many entered, left and moved, the '
'codes that entered, those that stand in more or fewer panels now, and panel and code of all that changed. The surface '
'is locked by the caller, so nobody else writes the rows of its panels';
