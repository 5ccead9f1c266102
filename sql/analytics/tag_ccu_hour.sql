create view analytics.tag_ccu_hour as
select
  h.ts,
  h.name as tag,
  (h.ccu_sum / nullif(h.cycles, 0)::double precision)::real as avg_ccu,
  (select max(s.step) from unnest(h.steps) as s (step)) as peak_ccu,
  h.ccu_sum * 10 as minutes_played,
  h.islands,
  h.played,
  h.cycles::integer as observed,
  6 as expected
from fortnite.ccu_group_hourly as h
where h.kind = 'tag';

comment on view analytics.tag_ccu_hour is
'Players of the islands of a tag by hour that is stored. Islands have several tags: tags add up to more than all. '
'An hour in which no island of the tag was sampled has no row';
comment on column analytics.tag_ccu_hour.ts is 'Start of the hour (UTC)';
comment on column analytics.tag_ccu_hour.tag is 'The tag islands had when the hour ended; empty: islands without one';
comment on column analytics.tag_ccu_hour.avg_ccu is 'Players on average over the observed cycles';
comment on column analytics.tag_ccu_hour.peak_ccu is
'Players at the highest of its cycles; null: the samples of that hour are gone';
comment on column analytics.tag_ccu_hour.minutes_played is 'Sum of the samples times ten minutes';
comment on column analytics.tag_ccu_hour.islands is 'Islands of the tag that were sampled';
comment on column analytics.tag_ccu_hour.played is 'Islands of the tag that had players';
comment on column analytics.tag_ccu_hour.observed is 'Cycles that sampled any island at all';
comment on column analytics.tag_ccu_hour.expected is 'Cycles there should be';
