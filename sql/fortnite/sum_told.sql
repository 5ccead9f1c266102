create function fortnite.sum_told(p_day date)
returns table (
  island_id integer,
  plays_1d bigint,
  plays_7d bigint,
  plays_30d bigint,
  unique_players_1d integer,
  player_days_7d bigint,
  player_days_30d bigint,
  told_days_7d bigint,
  told_days_30d bigint
)
language sql stable
as $$
select
  m.island_id,
  sum(m.plays) filter (where m.ts >= s.start_1d),
  sum(m.plays) filter (where m.ts >= s.start_7d),
  sum(m.plays),
  max(m.unique_players) filter (where m.ts >= s.start_1d),
  sum(m.unique_players) filter (where m.ts >= s.start_7d),
  sum(m.unique_players),
  count(*) filter (where m.ts >= s.start_7d),
  count(*)
from (
  select
    p_day::timestamp at time zone 'UTC' as start_1d,
    (p_day - 6)::timestamp at time zone 'UTC' as start_7d
) as s
cross join fortnite.island_metric as m
where
  m.bucket_minutes = 1440
  and m.ts >= (p_day - 29)::timestamp at time zone 'UTC'
  and m.ts < (p_day + 1)::timestamp at time zone 'UTC'
  and not m.partial
  and num_nonnulls(m.plays, m.unique_players) > 0
group by m.island_id
$$;

comment on function fortnite.sum_told(date) is
'What the Data API told of the closed ones of the 1, 7 and 30 UTC days that end with a day: plays, unique players of '
'the day, unique players of each day added up, and of how many days it told either. Null: of none';
