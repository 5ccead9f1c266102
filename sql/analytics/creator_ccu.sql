create function analytics.creator_ccu(p_account_id text, p_from timestamptz, p_until timestamptz)
returns table (ts timestamptz, ccu bigint, islands integer)
language sql stable
begin atomic
  select
    g.ts,
    c.ccu,
    c.islands
  from generate_series(
    date_bin('10 minutes', p_from, '2000-01-01 00:00:00+00'), p_until - interval '1 microsecond', interval '10 minutes'
  ) as g (ts)
  cross join lateral (
    select
      sum(s.ccu) as ccu,
      count(*)::integer as islands
    from fortnite.island as i
    cross join lateral (
      select r.ccu
      from fortnite.ccu as r
      where r.ts = g.ts and r.island_id = i.island_id
      order by r.ts
      limit 1
    ) as s
    where i.creator_account_id = p_account_id
  ) as c
  order by g.ts;
end;

comment on function analytics.creator_ccu(text, timestamptz, timestamptz) is
'Players of all islands an account has now, a row for each ten minutes from the one that holds the first instant '
'up to the second, which is not included; islands are those that were sampled. Null: none of them was, or so '
'long ago that the samples are gone; neither is zero';
