create view analytics.island_discovery as
select
  i.code,
  n.panels,
  n.regions,
  n.best_position,
  f.seen_at as first_seen_at,
  fp.surface as first_surface,
  fp.panel as first_panel,
  m.minutes_24h,
  m.minutes_7d,
  m.minutes_30d,
  c.until as as_of
from fortnite.island as i
cross join (
  select max(s.taken_at) + interval '10 minutes' as until
  from fortnite.surface as s
) as c
cross join lateral (
  select
    count(distinct p.surface || '/' || p.panel) as panels,
    count(distinct p.region) as regions,
    min(o.position) as best_position
  from fortnite.placement as o
  inner join fortnite.panel as p on o.panel_id = p.panel_id
  where o.code = i.code
) as n
left join fortnite.first_placement as f on i.code = f.code
left join fortnite.panel as fp on f.panel_id = fp.panel_id
cross join lateral (
  select
    coalesce(sum(
      extract(epoch from upper(t.span) - greatest(lower(t.span), c.until - interval '24 hours'))::bigint / 60
    ) filter (where upper(t.span) > c.until - interval '24 hours'), 0)::integer as minutes_24h,
    coalesce(sum(
      extract(epoch from upper(t.span) - greatest(lower(t.span), c.until - interval '7 days'))::bigint / 60
    ) filter (where upper(t.span) > c.until - interval '7 days'), 0)::integer as minutes_7d,
    coalesce(sum(
      extract(epoch from upper(t.span) - greatest(lower(t.span), c.until - interval '30 days'))::bigint / 60
    ), 0)::integer as minutes_30d
  from (
    select
      unnest(range_agg(
        tstzrange(s.since, greatest(s.since, least(coalesce(s.until, p.read_at + interval '10 minutes'), c.until)))
      )) as span
    from (
      select
        e.panel_id,
        e.since,
        e.until
      from fortnite.placement_ended as e
      where e.code = i.code and e.until > c.until - interval '30 days'
      union all
      select
        o.panel_id,
        o.since,
        null
      from fortnite.placement as o
      where o.code = i.code
    ) as s
    inner join fortnite.panel as p on s.panel_id = p.panel_id
  ) as t
  where upper(t.span) > c.until - interval '30 days'
) as m;

comment on view analytics.island_discovery is
'What discovery did for an island. Minutes are those in which it stood in at least one panel of at least one region. '
'Look it up by code: it is computed from spans';
comment on column analytics.island_discovery.code is 'Link code';
comment on column analytics.island_discovery.panels is 'Panels it stands in now, in whatever region';
comment on column analytics.island_discovery.regions is 'Regions that show it now';
comment on column analytics.island_discovery.best_position is 'Lowest place it has now; null: it is in no panel';
comment on column analytics.island_discovery.first_seen_at is 'Read that showed it first; null: never seen';
comment on column analytics.island_discovery.first_surface is 'Surface that showed it first';
comment on column analytics.island_discovery.first_panel is 'Panel that showed it first';
comment on column analytics.island_discovery.minutes_24h is 'Minutes in discovery in the 24 hours before as_of';
comment on column analytics.island_discovery.minutes_7d is 'Minutes in discovery in the 7 days before as_of';
comment on column analytics.island_discovery.minutes_30d is 'Minutes in discovery in the 30 days before as_of';
comment on column analytics.island_discovery.as_of is 'Ten minutes after the latest read of any surface';
