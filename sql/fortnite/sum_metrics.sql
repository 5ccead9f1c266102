-- requires: fortnite.metric_lag
create function fortnite.sum_metrics(p_reads jsonb)
returns table (
  code text,
  island_id integer,
  read_at timestamptz,
  gone boolean,
  trouble text,
  given_from date,
  closed_to date,
  active boolean,
  lately integer,
  peak_on date,
  peak_ccu integer
)
language sql stable
as $$
select
  r.code,
  i.island_id,
  r.read_at,
  coalesce(r.gone, false),
  r.trouble,
  d.given_from,
  d.closed_to,
  coalesce(d.active, false),
  d.lately,
  d.peak_on,
  d.peak_ccu
from jsonb_to_recordset(p_reads)
  as r (code text, read_at timestamptz, gone boolean, trouble text, buckets jsonb)
inner join fortnite.island as i on r.code = i.code
cross join lateral (
  select
    min(c.day) as given_from,
    max(c.day) filter (where c.closed) as closed_to,
    bool_or(c.told) as active,
    max(c.peak_ccu) filter (where c.day >= (r.read_at at time zone 'UTC')::date - 1) as lately,
    max(c.day) filter (where c.closed and c.peak_ccu is not null) as peak_on,
    (array_agg(c.peak_ccu order by c.day desc) filter (where c.closed and c.peak_ccu is not null))[1] as peak_ccu
  from (
    select
      b.peak_ccu,
      (b.ts at time zone 'UTC')::date as day,
      b.ts + interval '1 day' + fortnite.metric_lag() <= r.read_at as closed,
      num_nonnulls(
        b.peak_ccu, b.unique_players, b.plays, b.minutes_played, b.average_minutes_per_player, b.favorites,
        b.recommendations, b.retention_d1, b.retention_d7
      ) > 0 as told
    from jsonb_to_recordset(r.buckets)
      as b (
        minutes smallint,
        ts timestamptz,
        peak_ccu integer,
        unique_players integer,
        plays integer,
        minutes_played bigint,
        average_minutes_per_player double precision,
        favorites integer,
        recommendations integer,
        retention_d1 double precision,
        retention_d7 double precision
      )
    where b.minutes = 1440
  ) as c
) as d
$$;

comment on function fortnite.sum_metrics(jsonb) is
'What the day buckets of reads (as fortnite.take_metrics has them) say of each island: the days they span, whether any
metric was told, the peak since yesterday, and the latest closed day that has a peak';
