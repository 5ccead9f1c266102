-- requires: fortnite.ccu_known, fortnite.peak_ccu
create function analytics.island_week_pattern(p_code text, p_from timestamptz, p_until timestamptz)
returns table (
  weekday integer,
  hour integer,
  avg_ccu real,
  peak_ccu integer,
  observed integer,
  expected integer
)
language sql stable
begin atomic
  select
    extract(isodow from g.ts at time zone 'UTC')::integer as weekday,
    extract(hour from g.ts at time zone 'UTC')::integer as hour,
    (sum(h.ccu_sum) / nullif(sum(h.samples), 0)::double precision)::real,
    fortnite.peak_ccu(max(h.peak_key)),
    coalesce(sum(h.samples), 0)::integer,
    6 * count(*)::integer
  from fortnite.island as i
  cross join fortnite.ccu_known as k
  cross join generate_series(
    date_bin('1 hour', p_from, '2000-01-01 00:00:00+00'),
    least(p_until, k.hours_until) - interval '1 hour', interval '1 hour'
  ) as g (ts)
  left join lateral (
    select
      s.ccu_sum,
      s.samples,
      s.peak_key
    from fortnite.ccu_hourly_store as s
    where s.ts = g.ts and s.island_id = i.island_id
    order by s.ts
    limit 1
  ) as h on true
  where i.code = p_code
  group by weekday, hour
  order by weekday, hour;
end;

comment on function analytics.island_week_pattern(text, timestamptz, timestamptz) is
'Players of an island on average by weekday (1 is Monday) and hour of the day (UTC) over the stored hours of a '
'span. Observed and expected are samples; null: none';
