-- requires: fortnite.ccu_known
create view analytics.total_ccu_hour as
select
  g.ts,
  (coalesce(h.ccu_sum, o.ccu_sum) / coalesce(h.cycles, o.cycles)::double precision)::real as avg_ccu,
  coalesce((select max(s.step) from unnest(h.steps) as s (step)), o.peak_ccu) as peak_ccu,
  coalesce(h.ccu_sum, o.ccu_sum) * 10 as minutes_played,
  h.islands,
  h.played,
  coalesce(h.cycles, o.cycles, 0)::integer as observed,
  case
    when g.ts < g.groups_until then 6
    else least(6, 1 + extract(epoch from g.newest - g.ts)::integer / 600)
  end as expected,
  g.ts >= g.groups_until as partial
from (
  select
    generate_series(
      (select min(h.ts) from fortnite.ccu_group_hourly as h), nullif(k.newest, '-infinity'), interval '1 hour'
    ) as ts,
    k.newest,
    k.groups_until
  from fortnite.ccu_known as k
) as g
left join fortnite.ccu_group_hourly as h on g.ts = h.ts and h.kind = 'total' and h.name = ''
left join (
  select
    date_bin('1 hour', c.ts, '2000-01-01 00:00:00+00') as ts,
    sum(c.ccu) as ccu_sum,
    max(c.ccu) as peak_ccu,
    count(*) as cycles
  from (
    select
      s.ts,
      sum(s.ccu) as ccu
    from fortnite.ccu as s
    where s.ts >= (select k.groups_until from fortnite.ccu_known as k)
    group by s.ts
  ) as c
  group by date_bin('1 hour', c.ts, '2000-01-01 00:00:00+00')
) as o on g.ts = o.ts and g.ts >= g.groups_until;

comment on view analytics.total_ccu_hour is
'Players of all islands together, a row for each hour from the first stored one to the newest cycle. A gap is a '
'row whose averages are null';
comment on column analytics.total_ccu_hour.ts is 'Start of the hour (UTC)';
comment on column analytics.total_ccu_hour.avg_ccu is 'Players on average over the observed cycles; null: none';
comment on column analytics.total_ccu_hour.peak_ccu is
'Players at the highest of its cycles; null: no cycle, or the samples of that hour are gone';
comment on column analytics.total_ccu_hour.minutes_played is
'Sum of the samples times ten minutes: a lower bound where cycles are missing; null: no cycle';
comment on column analytics.total_ccu_hour.islands is
'Islands that were sampled; null: no cycle, or the hour is not stored yet';
comment on column analytics.total_ccu_hour.played is
'Islands that had players; null: no cycle, or the hour is not stored yet';
comment on column analytics.total_ccu_hour.observed is 'Cycles that sampled any island';
comment on column analytics.total_ccu_hour.expected is 'Cycles there should be: 6, fewer of an hour that runs';
comment on column analytics.total_ccu_hour.partial is 'Whether the hour is not stored yet, so that more may come';
