-- requires: analytics.total_ccu_hour
create view analytics.total_ccu_day as
select
  d.day,
  (d.ccu_sum / nullif(d.observed, 0)::double precision)::real as avg_ccu,
  d.peak_ccu,
  d.minutes_played,
  d.most_played,
  d.observed,
  d.expected,
  d.partial
from (
  select
    (h.ts at time zone 'UTC')::date as day,
    sum(h.minutes_played) / 10 as ccu_sum,
    max(h.peak_ccu) as peak_ccu,
    sum(h.minutes_played)::bigint as minutes_played,
    max(h.played) as most_played,
    sum(h.observed)::integer as observed,
    sum(h.expected)::integer as expected,
    bool_or(h.partial) or count(*) < 24 as partial
  from analytics.total_ccu_hour as h
  group by (h.ts at time zone 'UTC')::date
) as d;

comment on view analytics.total_ccu_day is
'Players of all islands together by UTC day, from the first stored hour to the newest cycle. A day without a '
'cycle is a row whose averages are null';
comment on column analytics.total_ccu_day.day is 'UTC day';
comment on column analytics.total_ccu_day.avg_ccu is 'Players on average over the observed cycles; null: none';
comment on column analytics.total_ccu_day.peak_ccu is 'Players at the highest of its cycles';
comment on column analytics.total_ccu_day.minutes_played is
'Sum of the samples times ten minutes: a lower bound where cycles are missing; null: no cycle';
comment on column analytics.total_ccu_day.most_played is 'Islands that had players, in the hour that had most';
comment on column analytics.total_ccu_day.observed is 'Cycles that sampled any island';
comment on column analytics.total_ccu_day.expected is
'Cycles there should be: 144, fewer of the first day and of one that runs';
comment on column analytics.total_ccu_day.partial is
'Whether the day runs, is not stored whole yet, or is the one on which counting began';
