-- requires: fortnite.enough_coverage
create function fortnite.sum_samples(p_day date)
returns table (
  island_id integer,
  peak_1d bigint,
  peak_7d bigint,
  peak_30d bigint,
  avg_1d double precision,
  avg_7d double precision,
  avg_30d double precision,
  growth_1d double precision,
  growth_7d double precision,
  growth_30d double precision,
  samples_1d bigint,
  samples_base bigint,
  avg_base double precision
)
language sql stable
as $$
with summed as (
  select
    d.island_id,
    max(d.peak_key) filter (where d.ts >= c.since_1d) as peak_1d,
    max(d.peak_key) filter (where d.ts >= c.since_7d) as peak_7d,
    max(d.peak_key) filter (where d.ts >= c.since_30d) as peak_30d,
    sum(d.samples) filter (where d.ts >= c.since_1d) as samples_1d,
    sum(d.samples) filter (where d.ts >= c.since_7d) as samples_7d,
    sum(d.samples) filter (where d.ts >= c.since_30d) as samples_30d,
    sum(d.samples) filter (where d.ts >= c.before_1d and d.ts < c.since_1d) as before_1d,
    sum(d.samples) filter (where d.ts >= c.before_7d and d.ts < c.since_7d) as before_7d,
    sum(d.samples) filter (where d.ts < c.since_30d) as before_30d,
    sum(d.samples) filter (where d.ts >= c.base and d.ts < c.since_1d) as samples_base,
    sum(d.ccu_sum) filter (where d.ts >= c.since_1d)::double precision as sum_1d,
    sum(d.ccu_sum) filter (where d.ts >= c.since_7d)::double precision as sum_7d,
    sum(d.ccu_sum) filter (where d.ts >= c.since_30d)::double precision as sum_30d,
    sum(d.ccu_sum) filter (where d.ts >= c.before_1d and d.ts < c.since_1d)::double precision as sum_before_1d,
    sum(d.ccu_sum) filter (where d.ts >= c.before_7d and d.ts < c.since_7d)::double precision as sum_before_7d,
    sum(d.ccu_sum) filter (where d.ts < c.since_30d)::double precision as sum_before_30d,
    sum(d.ccu_sum) filter (where d.ts >= c.base and d.ts < c.since_1d)::double precision as sum_base
  from (
    select
      p_day::timestamp at time zone 'UTC' as since_1d,
      (p_day - 6)::timestamp at time zone 'UTC' as since_7d,
      (p_day - 29)::timestamp at time zone 'UTC' as since_30d,
      (p_day - 1)::timestamp at time zone 'UTC' as before_1d,
      (p_day - 7)::timestamp at time zone 'UTC' as base,
      (p_day - 13)::timestamp at time zone 'UTC' as before_7d
  ) as c
  cross join fortnite.ccu_daily_store as d
  where
    d.ts >= (p_day - 59)::timestamp at time zone 'UTC'
    and d.ts < (p_day + 1)::timestamp at time zone 'UTC'
  group by d.island_id
)

select
  s.island_id,
  s.peak_1d,
  s.peak_7d,
  s.peak_30d,
  s.sum_1d / s.samples_1d,
  s.sum_7d / s.samples_7d,
  s.sum_30d / s.samples_30d,
  case
    when
      fortnite.enough_coverage((s.samples_1d / 144.0)::real)
      and fortnite.enough_coverage((s.before_1d / 144.0)::real)
      then s.sum_1d / s.samples_1d / nullif(s.sum_before_1d / s.before_1d, 0) - 1
  end,
  case
    when
      fortnite.enough_coverage((s.samples_7d / 1008.0)::real)
      and fortnite.enough_coverage((s.before_7d / 1008.0)::real)
      then s.sum_7d / s.samples_7d / nullif(s.sum_before_7d / s.before_7d, 0) - 1
  end,
  case
    when
      fortnite.enough_coverage((s.samples_30d / 4320.0)::real)
      and fortnite.enough_coverage((s.before_30d / 4320.0)::real)
      then s.sum_30d / s.samples_30d / nullif(s.sum_before_30d / s.before_30d, 0) - 1
  end,
  s.samples_1d,
  s.samples_base,
  s.sum_base / s.samples_base
from summed as s
$$;

comment on function fortnite.sum_samples(date) is
'What the stored days say of the 1, 7 and 30 UTC days that end with a day: highest peak_key, mean of the samples, its '
'growth against as many days before (null unless a tenth of the steps of both has samples); and of the 7 days before '
'that day (base) their samples and mean. One pass over 60 days';
