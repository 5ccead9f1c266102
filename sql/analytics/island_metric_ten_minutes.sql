create view analytics.island_metric_ten_minutes as
select
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  i.creator_name,
  i.creator_code,
  i.tags,
  m.ts,
  m.peak_ccu,
  m.unique_players,
  m.plays,
  m.minutes_played,
  m.favorites,
  m.recommendations,
  m.partial,
  m.read_at
from fortnite.island_metric as m
inner join fortnite.island as i on m.island_id = i.island_id
where m.bucket_minutes = 10;

comment on view analytics.island_metric_ten_minutes is
'Metrics of the public Data API by ten minutes and island. Null: withheld (fewer than five players, or not computed
yet). Only of islands with players enough, where ETL_FORTNITE_METRICS_INTERVALS asks for them.';
comment on column analytics.island_metric_ten_minutes.code is 'Link code';
comment on column analytics.island_metric_ten_minutes.title is 'Title, or the friendly name of an Epic mode';
comment on column analytics.island_metric_ten_minutes.creator_name is 'Display name of the creator, as it is now';
comment on column analytics.island_metric_ten_minutes.creator_code is 'Support-a-creator code';
comment on column analytics.island_metric_ten_minutes.tags is 'Tags the creator chose, as they are now';
comment on column analytics.island_metric_ten_minutes.ts is 'Start of the bucket (UTC)';
comment on column analytics.island_metric_ten_minutes.peak_ccu is 'Most players at once';
comment on column analytics.island_metric_ten_minutes.unique_players is 'Players, each counted once';
comment on column analytics.island_metric_ten_minutes.plays is 'Times somebody began to play';
comment on column analytics.island_metric_ten_minutes.minutes_played is
'Minutes that all players together spent in it';
comment on column analytics.island_metric_ten_minutes.favorites is 'Times it was added to favorites';
comment on column analytics.island_metric_ten_minutes.recommendations is 'Times a player recommended it';
comment on column analytics.island_metric_ten_minutes.partial is
'Whether the bucket was still running, or not 30 minutes over, when it was read last: its values will rise';
comment on column analytics.island_metric_ten_minutes.read_at is
'Read that brought these values; later ones said the same';
