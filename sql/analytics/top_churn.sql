-- requires: fortnite.ranking
create function analytics.top_churn(
  p_from date,
  p_until date,
  p_top integer default 100,
  p_measure text default 'average'
)
returns table (
  day date,
  ranked integer,
  stayed integer,
  entered integer,
  dropped integer,
  churn real
)
language sql stable
begin atomic
  with top as (
    select
      r.day,
      r.island_id,
      r.previous_rank
    from fortnite.ranking as r
    where
      r.list = 'global'
      and r.name = ''
      and r.measure = p_measure
      and r.rank <= p_top
      and r.day between p_from - 1 and p_until
  ),

  counted as (
    select
      t.day,
      count(*)::integer as ranked,
      count(*) filter (where t.previous_rank <= p_top)::integer as stayed
    from top as t
    group by t.day
  )

  select
    g.day,
    c.ranked,
    case when b.day is not null then c.stayed end,
    case when b.day is not null then c.ranked - c.stayed end,
    b.ranked - c.stayed,
    ((b.ranked - c.stayed) / b.ranked::double precision)::real
  from (select generate_series(p_from::timestamp, p_until::timestamp, interval '1 day')::date as day) as g
  left join counted as c on g.day = c.day
  left join counted as b on g.day - 1 = b.day and c.day is not null
  order by g.day;
end;

comment on function analytics.top_churn(date, date, integer, text) is
'How much the top of the global ranking changed from one UTC day to the next, for each day of a span, both ends '
'included: who stayed, who entered, who dropped out, and dropped as a share of those of the day before. Null: the '
'day, or the one before it, was not ranked';
