-- requires: fortnite.ccu_known
create function analytics.share_by_tag(p_from timestamptz, p_until timestamptz, p_step interval default '1 day')
returns table (
  ts timestamptz,
  tag text,
  minutes_played bigint,
  share real,
  avg_ccu real,
  peak_ccu bigint,
  observed integer,
  expected integer,
  partial boolean
)
language sql stable
begin atomic
  with hours as (
    select
      date_bin(p_step, h.ts, '2000-01-03 00:00:00+00') as bucket,
      h.*
    from fortnite.ccu_group_hourly as h
    where h.ts >= p_from and h.ts < p_until and h.kind in ('total', 'tag')
  ),

  whole as (
    select
      h.bucket,
      sum(h.ccu_sum) as ccu_sum,
      sum(h.cycles)::integer as observed
    from hours as h
    where h.kind = 'total'
    group by h.bucket
  )

  select
    h.bucket,
    h.name,
    sum(h.ccu_sum)::bigint * 10,
    (sum(h.ccu_sum) / nullif(w.ccu_sum, 0))::real,
    (sum(h.ccu_sum) / nullif(w.observed, 0))::real,
    max((select max(s.step) from unnest(h.steps) as s (step))),
    w.observed,
    (extract(epoch from p_step) / 600)::integer,
    h.bucket < p_from or least(p_until, k.groups_until) - h.bucket < p_step
  from hours as h
  inner join whole as w on h.bucket = w.bucket
  cross join fortnite.ccu_known as k
  where h.kind = 'tag'
  group by h.bucket, h.name, w.ccu_sum, w.observed, k.groups_until
  order by h.bucket asc, sum(h.ccu_sum) desc, h.name asc;
end;

comment on function analytics.share_by_tag(timestamptz, timestamptz, interval) is
'Which share of all minutes played went to the islands of each tag, by steps of whole hours (an hour, a day, '
'seven days from Monday). Play is counted under the tags islands had then; islands have several, so shares add up '
'to more than 1; the empty tag is islands without one. Of a step without a cycle there is no row; partial: the '
'step is cut by the span or not stored whole yet';
