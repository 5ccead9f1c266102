create function analytics.island_placements(p_code text, p_since timestamptz, p_until timestamptz)
returns table (
  surface text,
  region text,
  panel text,
  place integer,
  since timestamptz,
  until timestamptz,
  minutes integer
)
language sql
stable
begin atomic
  select
    p.surface,
    p.region,
    p.panel,
    s.position,
    t.since,
    t.until,
    (extract(epoch from t.until - t.since)::bigint / 60)::integer
  from (
    select
      e.panel_id,
      e.position,
      e.since,
      e.until
    from fortnite.placement_ended as e
    where e.code = p_code and e.until > p_since
    union all
    select
      o.panel_id,
      o.position,
      o.since,
      null
    from fortnite.placement as o
    where o.code = p_code
  ) as s
  inner join fortnite.panel as p on s.panel_id = p.panel_id
  cross join lateral (
    select
      greatest(s.since, p_since) as since,
      least(coalesce(s.until, p.read_at + interval '10 minutes'), p_until) as until
  ) as t
  where t.until > t.since
  order by t.since, p.surface, p.region, p.panel, s.position;
end;

comment on function analytics.island_placements(text, timestamptz, timestamptz) is
'Where an island (or another link code) stood in discovery over a span of time: surface, region, panel and place, from '
'when to when and for how many minutes, all cut to the span. What still stands counts until ten minutes after the '
'latest read of its panel';
