-- requires: fortnite.groups_before
create function analytics.retention_by_tag(p_from date, p_until date, p_islands integer default 5)
returns table (
  tag text,
  islands integer,
  island_days_d1 integer,
  retention_d1 real,
  median_d1 real,
  island_days_d7 integer,
  retention_d7 real,
  median_d7 real
)
language sql stable
begin atomic
  with told as (
    select
      m.island_id,
      count(m.retention_d1) as days_d1,
      count(m.retention_d7) as days_d7,
      avg(m.retention_d1) as d1,
      avg(m.retention_d7) as d7,
      sum(m.unique_players) filter (where m.retention_d1 is not null) as weight_d1,
      sum(m.unique_players) filter (where m.retention_d7 is not null) as weight_d7,
      sum(m.unique_players * m.retention_d1) as back_d1,
      sum(m.unique_players * m.retention_d7) as back_d7
    from fortnite.island_metric as m
    where
      m.bucket_minutes = 1440
      and m.ts >= p_from::timestamp at time zone 'UTC'
      and m.ts < (p_until + 1)::timestamp at time zone 'UTC'
      and (m.retention_d1 is not null or m.retention_d7 is not null)
      and not m.partial
    group by m.island_id
  )

  select
    u.tag,
    count(*)::integer,
    sum(t.days_d1)::integer,
    (sum(t.back_d1) / nullif(sum(t.weight_d1), 0))::real as retention_d1,
    percentile_cont(0.5) within group (order by t.d1)::real,
    sum(t.days_d7)::integer,
    (sum(t.back_d7) / nullif(sum(t.weight_d7), 0))::real,
    percentile_cont(0.5) within group (order by t.d7)::real
  from told as t
  inner join fortnite.island as i on t.island_id = i.island_id
  left join fortnite.groups_before((p_until + 1)::timestamp at time zone 'UTC') as b on t.island_id = b.island_id
  cross join lateral (select coalesce(nullif(coalesce(b.tags, i.tags), '{}'), '{""}') as tags) as w
  cross join lateral unnest(w.tags) with ordinality as a (tag, nth)
  cross join lateral (select a.tag collate "C" as tag) as u
  where a.nth = array_position(w.tags, a.tag)
  group by u.tag
  having count(*) >= p_islands
  order by retention_d1 desc nulls last, u.tag asc;
end;

comment on function analytics.retention_by_tag(date, date, integer) is
'Retention by tag over closed UTC days, both included, from the Data API: players who came back after one and '
'after seven days as a share of all, each island and day weighted by its unique players of that day, and the '
'median of the islands. Of tags with so many islands at least; an island counts under each tag it had at the end '
'of the span, under the empty one without any. Null: upstream told none. Days of which upstream withholds '
'retention are not counted';
