create view analytics.island as
select
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  i.creator_name,
  i.creator_code,
  i.tags,
  i.category,
  i.created_in,
  i.published_at,
  i.version,
  i.first_seen_at,
  i.gone_at,
  n.ccu,
  n.ts as ccu_changed_at,
  n.record_ccu,
  n.recorded_at,
  n.since as sampled_since,
  p.avg_24h,
  p.peak_24h,
  p.minutes_24h,
  p.coverage_24h,
  p.avg_7d,
  p.peak_7d,
  p.minutes_7d,
  p.coverage_7d,
  p.avg_30d,
  p.peak_30d,
  p.minutes_30d,
  p.coverage_30d,
  p.computed_at
from fortnite.island as i
left join fortnite.island_now as n on i.island_id = n.island_id
left join fortnite.island_performance as p on i.island_id = p.island_id;

comment on view analytics.island is
'Islands with their latest players, record and performance. An average of few samples says little: ask a minimum of
coverage, and order nulls last';
comment on column analytics.island.code is 'Link code';
comment on column analytics.island.title is 'Title, or the friendly name of an Epic mode';
comment on column analytics.island.creator_name is 'Display name of the creator';
comment on column analytics.island.creator_code is 'Support-a-creator code';
comment on column analytics.island.tags is 'Tags the creator chose, in order';
comment on column analytics.island.category is 'Brand or link category';
comment on column analytics.island.created_in is 'UEFN or FNC; null where upstream does not say';
comment on column analytics.island.published_at is 'First publication';
comment on column analytics.island.version is 'Version of the link';
comment on column analytics.island.first_seen_at is 'When we first met it';
comment on column analytics.island.gone_at is 'Since when upstream does not know it; null: it does';
comment on column analytics.island.ccu is 'Players in the latest sample; null: never sampled';
comment on column analytics.island.ccu_changed_at is 'Cycle that brought this count; later ones saw the same';
comment on column analytics.island.record_ccu is 'Highest count we sampled';
comment on column analytics.island.recorded_at is 'First cycle that reached it';
comment on column analytics.island.sampled_since is 'First cycle that sampled the island at all';
comment on column analytics.island.avg_24h is 'Average players of the last 24 hours, over the samples there are';
comment on column analytics.island.peak_24h is 'Highest count of the last 24 hours';
comment on column analytics.island.minutes_24h is
'Minutes played in the last 24 hours: sum of players times ten minutes';
comment on column analytics.island.coverage_24h is
'Share of the expected samples of the last 24 hours that are there, 0 to 1';
comment on column analytics.island.avg_7d is 'Average players of the last 7 days, over the samples there are';
comment on column analytics.island.peak_7d is 'Highest count of the last 7 days';
comment on column analytics.island.minutes_7d is 'Minutes played in the last 7 days: sum of players times ten minutes';
comment on column analytics.island.coverage_7d is
'Share of the expected samples of the last 7 days that are there, 0 to 1';
comment on column analytics.island.avg_30d is 'Average players of the last 30 days, over the samples there are';
comment on column analytics.island.peak_30d is 'Highest count of the last 30 days';
comment on column analytics.island.minutes_30d is
'Minutes played in the last 30 days: sum of players times ten minutes';
comment on column analytics.island.coverage_30d is
'Share of the expected samples of the last 30 days that are there, 0 to 1';
comment on column analytics.island.computed_at is 'When averages, peaks, minutes and coverage were computed';
