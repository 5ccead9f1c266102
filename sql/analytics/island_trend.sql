create view analytics.island_trend as
select
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  i.creator_name,
  i.creator_code,
  i.tags,
  (
    select (w.value ->> 'day')::date
    from engine.watermark as w
    where w.name = 'fortnite.ranking'
  ) as day,
  t.rank,
  t.trending,
  t.avg_1d,
  t.avg_7d,
  t.avg_30d,
  t.growth_1d,
  t.growth_7d,
  t.growth_30d,
  t.peak_1d,
  t.peak_1d_at,
  t.peak_7d,
  t.peak_7d_at,
  t.peak_30d,
  t.peak_30d_at,
  t.plays_1d,
  t.plays_7d,
  t.plays_30d,
  t.unique_players_1d,
  t.player_days_7d,
  t.player_days_30d,
  t.told_days_7d,
  t.told_days_30d
from fortnite.island_trend as t
inner join fortnite.island as i on t.island_id = i.island_id;

comment on view analytics.island_trend is
'How islands fare by the UTC days that are over: 1, 7 and 30 of them that end with day. Order nulls last';
comment on column analytics.island_trend.code is 'Link code';
comment on column analytics.island_trend.title is 'Title, or the friendly name of an Epic mode';
comment on column analytics.island_trend.creator_name is 'Display name of the creator';
comment on column analytics.island_trend.creator_code is 'Support-a-creator code';
comment on column analytics.island_trend.tags is 'Tags the creator chose, in order';
comment on column analytics.island_trend.day is 'The latest day that was ranked';
comment on column analytics.island_trend.rank is
'Place on the day in the global list by average, else in the one by peak; null: none that is kept';
comment on column analytics.island_trend.trending is
'How far the average of the day lies above that of the 7 days before, in usual swings; null: under 10 players on '
'average, or not covered well enough';
comment on column analytics.island_trend.avg_1d is 'Mean of the samples of that day; null: no sample';
comment on column analytics.island_trend.avg_7d is 'Mean of the samples of 7 days; null: no sample';
comment on column analytics.island_trend.avg_30d is 'Mean of the samples of 30 days; null: no sample';
comment on column analytics.island_trend.growth_1d is
'That mean of that day against as many days before, less 1 (0.5: half as many again); null: not covered well '
'enough, or nobody before';
comment on column analytics.island_trend.growth_7d is
'That mean of 7 days against as many days before, less 1 (0.5: half as many again); null: not covered well '
'enough, or nobody before';
comment on column analytics.island_trend.growth_30d is
'That mean of 30 days against as many days before, less 1 (0.5: half as many again); null: not covered well '
'enough, or nobody before';
comment on column analytics.island_trend.peak_1d is 'Highest sample of that day';
comment on column analytics.island_trend.peak_1d_at is 'First cycle of that day that had it';
comment on column analytics.island_trend.peak_7d is 'Highest sample of 7 days';
comment on column analytics.island_trend.peak_7d_at is 'First cycle of 7 days that had it';
comment on column analytics.island_trend.peak_30d is 'Highest sample of 30 days';
comment on column analytics.island_trend.peak_30d_at is 'First cycle of 30 days that had it';
comment on column analytics.island_trend.plays_1d is
'Times somebody began to play in that day, of those the Data API told; null: of none';
comment on column analytics.island_trend.plays_7d is
'Times somebody began to play in 7 days, of those the Data API told; null: of none';
comment on column analytics.island_trend.plays_30d is
'Times somebody began to play in 30 days, of those the Data API told; null: of none';
comment on column analytics.island_trend.unique_players_1d is
'Players of that day, each counted once, as the Data API tells';
comment on column analytics.island_trend.player_days_7d is
'Unique players of each of 7 days, added up: no unique players of all of them';
comment on column analytics.island_trend.player_days_30d is
'Unique players of each of 30 days, added up: no unique players of all of them';
comment on column analytics.island_trend.told_days_7d is
'Days of the 7 that the Data API told: with fewer, sums are lower bounds';
comment on column analytics.island_trend.told_days_30d is
'Days of the 30 that the Data API told: with fewer, sums are lower bounds';
