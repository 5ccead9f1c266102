-- requires: fortnite.ccu_known
create function analytics.share_of_epic(p_from timestamptz, p_until timestamptz, p_step interval default '1 day')
returns table (
  ts timestamptz,
  epic_minutes bigint,
  creator_minutes bigint,
  epic_share real,
  epic_avg_ccu real,
  creator_avg_ccu real,
  observed integer,
  expected integer,
  partial boolean
)
language sql stable
begin atomic
  select
    d.bucket,
    d.epic * 10,
    (d.total - d.epic) * 10,
    (d.epic / nullif(d.total, 0)::double precision)::real,
    (d.epic / nullif(d.observed, 0)::double precision)::real,
    ((d.total - d.epic) / nullif(d.observed, 0)::double precision)::real,
    d.observed,
    (extract(epoch from p_step) / 600)::integer,
    d.bucket < p_from or least(p_until, k.groups_until) - d.bucket < p_step
  from (
    select
      date_bin(p_step, h.ts, '2000-01-03 00:00:00+00') as bucket,
      coalesce(sum(h.ccu_sum) filter (where h.kind = 'epic'), 0)::bigint as epic,
      (sum(h.ccu_sum) filter (where h.kind = 'total'))::bigint as total,
      (sum(h.cycles) filter (where h.kind = 'total'))::integer as observed
    from fortnite.ccu_group_hourly as h
    where h.ts >= p_from and h.ts < p_until and h.kind in ('total', 'epic')
    group by date_bin(p_step, h.ts, '2000-01-03 00:00:00+00')
  ) as d
  cross join fortnite.ccu_known as k
  order by d.bucket;
end;

comment on function analytics.share_of_epic(timestamptz, timestamptz, interval) is
'How minutes played part between Epic''s own islands and those of all other creators, by steps of whole hours (an '
'hour, a day, seven days from Monday). Of a step without a cycle there is no row; partial: the step is cut by the '
'span or not stored whole yet';
