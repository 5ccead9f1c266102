-- requires: fortnite.ccu_known
create function analytics.week_pattern(p_kind text, p_name text, p_from timestamptz, p_until timestamptz)
returns table (
  weekday integer,
  hour integer,
  avg_ccu real,
  peak_ccu bigint,
  observed integer,
  expected integer
)
language sql stable
begin atomic
  with hours as (
    select
      h.ts,
      max(h.ccu_sum) filter (where h.kind = p_kind and h.name = p_name) as ccu_sum,
      max((select max(s.step) from unnest(h.steps) as s (step)))
      filter (where h.kind = p_kind and h.name = p_name) as peak_ccu,
      max(h.cycles) as cycles
    from fortnite.ccu_group_hourly as h
    where
      h.ts >= date_bin('1 hour', p_from, '2000-01-01 00:00:00+00')
      and h.ts < p_until
      and ((h.kind = p_kind and h.name = p_name) or h.kind = 'total')
    group by h.ts
  )

  select
    extract(isodow from g.ts at time zone 'UTC')::integer as weekday,
    extract(hour from g.ts at time zone 'UTC')::integer as hour,
    (sum(h.ccu_sum) / nullif(sum(h.cycles), 0)::double precision)::real,
    max(h.peak_ccu),
    coalesce(sum(h.cycles), 0)::integer,
    6 * count(*)::integer
  from fortnite.ccu_known as k
  cross join generate_series(
    date_bin('1 hour', p_from, '2000-01-01 00:00:00+00'),
    least(p_until, k.groups_until) - interval '1 hour', interval '1 hour'
  ) as g (ts)
  left join hours as h on g.ts = h.ts
  group by weekday, hour
  order by weekday, hour;
end;

comment on function analytics.week_pattern(text, text, timestamptz, timestamptz) is
'Players on average by weekday (1 is Monday) and hour of the day (UTC) over the stored hours of a span, of a '
'group of islands: total or epic with an empty name, or tag with its name. Observed and expected are cycles; '
'null: none was observed, or none of the group was sampled';
