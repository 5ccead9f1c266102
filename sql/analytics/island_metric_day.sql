create view analytics.island_metric_day as
select
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  i.creator_name,
  i.creator_code,
  i.tags,
  (m.ts at time zone 'UTC')::date as day,
  m.peak_ccu,
  m.unique_players,
  m.plays,
  m.minutes_played,
  m.average_minutes_per_player,
  m.favorites,
  m.recommendations,
  m.retention_d1,
  m.retention_d7,
  m.partial,
  m.read_at
from fortnite.island_metric as m
inner join fortnite.island as i on m.island_id = i.island_id
where m.bucket_minutes = 1440;

comment on view analytics.island_metric_day is
'Metrics of the public Data API by UTC day and island. Null: withheld (fewer than five players, or not computed
yet). A day without a row was withheld, or is in analytics.island_metric_gap, or was never watched.';
comment on column analytics.island_metric_day.code is 'Link code';
comment on column analytics.island_metric_day.title is 'Title, or the friendly name of an Epic mode';
comment on column analytics.island_metric_day.creator_name is 'Display name of the creator, as it is now';
comment on column analytics.island_metric_day.creator_code is 'Support-a-creator code';
comment on column analytics.island_metric_day.tags is 'Tags the creator chose, as they are now';
comment on column analytics.island_metric_day.day is 'The UTC day';
comment on column analytics.island_metric_day.peak_ccu is 'Most players at once';
comment on column analytics.island_metric_day.unique_players is 'Players, each counted once';
comment on column analytics.island_metric_day.plays is 'Times somebody began to play';
comment on column analytics.island_metric_day.minutes_played is 'Minutes that all players together spent in it';
comment on column analytics.island_metric_day.average_minutes_per_player is 'Mean minutes of a player';
comment on column analytics.island_metric_day.favorites is 'Times it was added to favorites';
comment on column analytics.island_metric_day.recommendations is 'Times a player recommended it';
comment on column analytics.island_metric_day.retention_d1 is
'Share of the players of the day before that came back, 0 to 1';
comment on column analytics.island_metric_day.retention_d7 is
'Share of the players of seven days before that came back, 0 to 1';
comment on column analytics.island_metric_day.partial is
'Whether the bucket was still running, or not 30 minutes over, when it was read last: its values will rise';
comment on column analytics.island_metric_day.read_at is 'Read that brought these values; later ones said the same';
