-- requires: analytics.total_ccu_day
create view analytics.ccu_quality_day as
select
  h.day,
  h.observed as cycles,
  h.expected as cycles_expected,
  coalesce(c.complete, 0) as cycles_complete,
  coalesce(c.samples, 0) as samples,
  coalesce(c.samples_expected, 0) as samples_expected,
  coalesce(c.negative, 0) as negative,
  (h.observed / nullif(h.expected, 0)::double precision)::real as coverage,
  h.partial
from analytics.total_ccu_day as h
left join (
  select
    (e.ts at time zone 'UTC')::date as day,
    count(*) filter (where e.source = 'entries' and e.complete)::integer as complete,
    sum(e.observed)::bigint as samples,
    sum(e.expected)::bigint as samples_expected,
    sum(e.negative)::bigint as negative
  from fortnite.ccu_cycle as e
  group by (e.ts at time zone 'UTC')::date
) as c on h.day = c.day;

comment on view analytics.ccu_quality_day is 'How whole the samples of players of each UTC day are';
comment on column analytics.ccu_quality_day.day is 'UTC day';
comment on column analytics.ccu_quality_day.cycles is 'Cycles that sampled any island';
comment on column analytics.ccu_quality_day.cycles_expected is 'Cycles there should be by now';
comment on column analytics.ccu_quality_day.cycles_complete is
'Cycles in which every island that was asked by code was answered for';
comment on column analytics.ccu_quality_day.samples is 'Samples of all cycles that were noted';
comment on column analytics.ccu_quality_day.samples_expected is 'Samples they asked for';
comment on column analytics.ccu_quality_day.negative is 'Values below zero or absent: no sample';
comment on column analytics.ccu_quality_day.coverage is 'Share of the cycles there should be that sampled any island';
comment on column analytics.ccu_quality_day.partial is 'Whether the day runs or is not stored whole yet';
