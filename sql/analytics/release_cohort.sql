-- requires: fortnite.ccu_known
create function analytics.release_cohort(p_week date)
returns table (
  age_days integer,
  islands integer,
  days_over integer,
  observed integer,
  played integer,
  ccu_total double precision,
  avg_ccu real,
  median_ccu real,
  best_ccu real,
  minutes_played bigint
)
language sql stable
begin atomic
  select
    a.age,
    count(*)::integer,
    count(*) filter (where t.ended)::integer,
    count(d.samples)::integer,
    count(*) filter (where d.ccu_sum > 0)::integer,
    sum(v.ccu),
    avg(v.ccu)::real,
    percentile_cont(0.5) within group (order by v.ccu)::real,
    max(v.ccu)::real,
    (sum(d.ccu_sum) * 10)::bigint
  from (
    select
      i.island_id,
      i.published_at
    from fortnite.island as i
    where
      i.published_at >= date_trunc('week', p_week::timestamp) at time zone 'UTC'
      and i.published_at < (date_trunc('week', p_week::timestamp) + interval '7 days') at time zone 'UTC'
  ) as i
  cross join (values (1), (7), (30)) as a (age)
  cross join fortnite.ccu_known as k
  cross join lateral (
    select
      s.day,
      s.day + interval '24 hours' <= k.days_until as ended
    from (
      select date_bin('1 day', i.published_at, '2000-01-01 00:00:00+00') + a.age * interval '24 hours' as day
    ) as s
  ) as t
  left join lateral (
    select
      s.ccu_sum,
      s.samples
    from fortnite.ccu_daily_store as s
    where s.island_id = i.island_id and s.ts = t.day and t.ended
    order by s.ts
    limit 1
  ) as d on true
  cross join lateral (select d.ccu_sum / d.samples::double precision as ccu) as v
  group by a.age
  order by a.age;
end;

comment on function analytics.release_cohort(date) is
'What became of the islands published in the week (from Monday, UTC) of a day: their players on average on the '
'UTC day that is 1, 7 and 30 days after that of publication. days_over: islands whose day of that age is over and '
'stored; observed: those sampled on it. Averages and median are over the observed ones: who was not sampled is '
'unknown, not zero. Null: none was';
