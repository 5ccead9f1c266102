-- requires: fortnite.ccu_daily, fortnite.enough_coverage
create function fortnite.ranking_value(p_day date, p_measure text)
returns table (island_id integer, value double precision)
language sql stable
begin atomic
  select
    d.island_id,
    d.ccu_sum::double precision / d.samples
  from fortnite.ccu_daily as d
  where
    p_measure = 'average'
    and d.ts = p_day::timestamp at time zone 'UTC'
    and d.ccu_sum > 0
    and fortnite.enough_coverage((d.samples / 144.0)::real)
  union all
  select
    d.island_id,
    d.ccu_sum::double precision * 10
  from fortnite.ccu_daily as d
  where
    p_measure = 'minutes'
    and d.ts = p_day::timestamp at time zone 'UTC'
    and d.ccu_sum > 0
  union all
  select
    m.island_id,
    m.peak_ccu
  from fortnite.island_metric as m
  where
    p_measure = 'peak'
    and m.bucket_minutes = 1440
    and m.ts = p_day::timestamp at time zone 'UTC'
    and m.peak_ccu > 0
    and not m.partial;
end;

comment on function fortnite.ranking_value(date, text) is
'What islands are ranked by on a UTC day. average: mean of the samples, where a tenth of the day has some; minutes: '
'samples times ten minutes; peak: most players at once as the Data API tells of a closed day. Neither zero nor null '
'ranks';
