create function analytics.share_by_creator(p_from date, p_until date, p_limit integer default 20)
returns table (
  rank integer,
  account_id text,
  name text,
  day date,
  minutes_played bigint,
  share real,
  share_of_span real,
  observed integer,
  expected integer
)
language sql stable
begin atomic
  with whole as (
    select
      (h.ts at time zone 'UTC')::date as day,
      sum(h.ccu_sum) * 10 as minutes_played,
      sum(h.cycles)::integer as observed
    from fortnite.ccu_group_hourly as h
    where
      h.ts >= p_from::timestamp at time zone 'UTC'
      and h.ts < (p_until + 1)::timestamp at time zone 'UTC'
      and h.kind = 'total'
    group by (h.ts at time zone 'UTC')::date
  ),

  added as (
    select sum(w.minutes_played) as minutes_played
    from whole as w
    where
      exists (
        select from fortnite.creator_daily as d
        where d.day = w.day
      )
  ),

  leaders as (
    select
      d.creator_id,
      sum(d.minutes_played) as minutes_played,
      row_number() over (order by sum(d.minutes_played) desc, d.creator_id) as nth
    from fortnite.creator_daily as d
    where d.day between p_from and p_until
    group by d.creator_id
    order by nth
    limit p_limit
  )

  select
    l.nth::integer,
    c.account_id,
    coalesce(c.display_name, c.account_id),
    w.day,
    d.minutes_played,
    (d.minutes_played / nullif(w.minutes_played, 0))::real,
    (l.minutes_played / nullif(a.minutes_played, 0))::real,
    w.observed,
    144
  from leaders as l
  inner join fortnite.creator as c on l.creator_id = c.creator_id
  cross join whole as w
  cross join added as a
  left join fortnite.creator_daily as d on l.creator_id = d.creator_id and w.day = d.day
  order by l.nth, w.day;
end;

comment on function analytics.share_by_creator(date, date, integer) is
'Which share of all minutes played went to the islands of the leading creators of a span of UTC days, both '
'included, day by day; share_of_span is that of all its days that are added up. Null: the creator was not played '
'that day, or the day is not added up yet';
