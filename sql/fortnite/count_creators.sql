create function fortnite.count_creators() returns integer
language plpgsql
set jit = off
-- How many creators an estimate of the roll-ups gives is anybody's guess: never one loop in another.
set enable_nestloop = off
as $$
declare
  v_changed integer;
begin
  with added as (
    select
      i.creator_account_id as account_id,
      mode() within group (order by i.creator_code) as creator_code,
      count(*) as islands,
      count(*) filter (where n.ccu > 0) as played,
      coalesce(sum(n.ccu), 0) as ccu,
      sum(p.minutes_24h) as minutes_24h,
      sum(p.minutes_7d) as minutes_7d,
      sum(p.minutes_30d) as minutes_30d
    from fortnite.island as i
    left join fortnite.island_now as n on i.island_id = n.island_id
    left join fortnite.island_performance as p on i.island_id = p.island_id
    where i.creator_account_id is not null and i.gone_at is null
    group by i.creator_account_id
  ),

  fresh as (
    select
      c.creator_id,
      a.creator_code,
      coalesce(a.islands, 0)::integer as islands,
      coalesce(a.played, 0)::integer as played,
      coalesce(a.ccu, 0)::bigint as ccu,
      a.minutes_24h::bigint as minutes_24h,
      a.minutes_7d::bigint as minutes_7d,
      a.minutes_30d::bigint as minutes_30d
    from fortnite.creator as c
    left join added as a on c.account_id = a.account_id
  )

  insert into fortnite.creator_now as n (
    creator_id, computed_at, creator_code, islands, played, ccu, minutes_24h, minutes_7d, minutes_30d
  )
  select
    f.creator_id,
    now(),
    f.creator_code,
    f.islands,
    f.played,
    f.ccu,
    f.minutes_24h,
    f.minutes_7d,
    f.minutes_30d
  from fresh as f
  left join fortnite.creator_now as o on f.creator_id = o.creator_id
  where
    o.computed_at is null
    or (o.creator_code, o.islands, o.played, o.ccu, o.minutes_24h, o.minutes_7d, o.minutes_30d)
    is distinct from (f.creator_code, f.islands, f.played, f.ccu, f.minutes_24h, f.minutes_7d, f.minutes_30d)
  order by f.creator_id
  on conflict (creator_id) do update
    set
      computed_at = excluded.computed_at,
      creator_code = excluded.creator_code,
      islands = excluded.islands,
      played = excluded.played,
      ccu = excluded.ccu,
      minutes_24h = excluded.minutes_24h,
      minutes_7d = excluded.minutes_7d,
      minutes_30d = excluded.minutes_30d;
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;

comment on function fortnite.count_creators() is
'Adds up the islands of every creator: how many, their players now, minutes played over 24 hours, 7 and 30 days; the '
'support code most of them carry. One pass; only rows that changed are written. Gives how many';
