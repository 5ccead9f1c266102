-- requires: fortnite.ccu_known, fortnite.placement_span
create function analytics.placement_effect(
  p_surface text,
  p_region text,
  p_panel text,
  p_from timestamptz,
  p_until timestamptz
)
returns table (
  code text,
  title text,
  entered_at timestamptz,
  left_at timestamptz,
  best_position integer,
  ccu_before real,
  ccu_during real,
  ccu_after real,
  observed_before integer,
  observed_during integer,
  observed_after integer,
  expected_during integer
)
language sql stable
begin atomic
  with stays as (
    select
      s.code,
      s.entered_at,
      min(s.position) as best_position,
      case when bool_and(s.until is not null) then max(s.until) end as left_at,
      coalesce(max(s.until) filter (where s.until is not null), s.entered_at) as last_at
    from fortnite.panel as p
    inner join fortnite.placement_span as s on p.panel_id = s.panel_id
    where
      p.surface = p_surface
      and p.region = p_region
      and p.panel = p_panel
      and s.entered_at >= p_from
      and s.entered_at < p_until
      and tstzrange(s.since, s.until) && tstzrange(p_from, null)
    group by s.code, s.entered_at
  )

  select
    s.code,
    coalesce(i.title, i.display_name),
    s.entered_at,
    s.left_at,
    s.best_position,
    (avg(c.ccu) filter (where g.ts < s.entered_at))::real,
    (avg(c.ccu) filter (where g.ts >= s.entered_at and g.ts < coalesce(s.left_at, 'infinity')))::real,
    (avg(c.ccu) filter (where g.ts >= s.left_at))::real,
    count(c.ccu) filter (where g.ts < s.entered_at)::integer,
    count(c.ccu) filter (where g.ts >= s.entered_at and g.ts < coalesce(s.left_at, 'infinity'))::integer,
    count(c.ccu) filter (where g.ts >= s.left_at)::integer,
    count(*) filter (where g.ts >= s.entered_at and g.ts < coalesce(s.left_at, 'infinity'))::integer
  from stays as s
  inner join fortnite.island as i on s.code = i.code
  cross join fortnite.ccu_known as k
  cross join lateral generate_series(
    s.entered_at - interval '1 hour',
    least(coalesce(s.left_at + interval '50 minutes', 'infinity'), k.newest),
    interval '10 minutes'
  ) as g (ts)
  left join lateral (
    select r.ccu
    from fortnite.ccu as r
    where r.ts = g.ts and r.island_id = i.island_id
    order by r.ts
    limit 1
  ) as c on true
  group by s.code, i.title, i.display_name, s.entered_at, s.left_at, s.best_position
  order by s.entered_at, s.code;
end;

comment on function analytics.placement_effect(text, text, text, timestamptz, timestamptz) is
'What a stay in a panel did to the players of an island, for the stays that began within a span: on average over '
'the six cycles before it entered, over those of the stay, and over the six from the read on that showed it gone. '
'Observed: samples there are, of 6, expected_during and 6; null: none. A stay that goes on has no left_at and '
'nothing after. That players rose is no proof that the panel did it';
