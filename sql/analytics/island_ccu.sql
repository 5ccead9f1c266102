create function analytics.island_ccu(p_code text, p_from timestamptz, p_until timestamptz)
returns table (ts timestamptz, ccu integer)
language sql stable
begin atomic
  select
    g.ts,
    c.ccu
  from fortnite.island as k
  cross join generate_series(
    date_bin('10 minutes', p_from, '2000-01-01 00:00:00+00'), p_until - interval '1 microsecond', interval '10 minutes'
  ) as g (ts)
  -- The limit keeps the order: one look-up an instant, however many islands a cycle has.
  left join lateral (
    select r.ccu
    from fortnite.ccu as r
    where r.ts = g.ts and r.island_id = k.island_id
    order by r.ts
    limit 1
  ) as c on true
  where k.code = p_code
  order by g.ts;
end;

comment on function analytics.island_ccu(text, timestamptz, timestamptz) is
'Players of an island, a row for each ten minutes from the one that holds the first instant up to the second, '
'which is not included. Null: not sampled then, or so long ago that the sample is gone; neither is zero';
