create function fortnite.close_creators(p_day date) returns integer
language plpgsql
set jit = off
-- How many creators an estimate of the roll-ups gives is anybody's guess: never one loop in another.
set enable_nestloop = off
as $$
declare
  v_from timestamptz := p_day::timestamp at time zone 'UTC';
  v_until timestamptz := v_from + interval '1 day';
  v_written integer;
begin
  with sampled as materialized (
    select
      i.creator_account_id as account_id,
      count(*) as played,
      sum(d.ccu_sum) * 10 as minutes_played
    from fortnite.ccu_daily as d
    inner join fortnite.island as i on d.island_id = i.island_id
    where d.ts = v_from and d.ccu_sum > 0
    group by i.creator_account_id
  ),

  owned as materialized (
    select
      i.creator_account_id as account_id,
      count(*) as islands
    from fortnite.island as i
    where
      i.creator_account_id is not null
      and i.first_seen_at < v_until
      and (i.gone_at is null or i.gone_at >= v_until)
    group by i.creator_account_id
  ),

  fresh as materialized (
    select
      c.creator_id,
      coalesce(k.islands, 0)::integer as islands,
      coalesce(s.played, 0)::integer as played,
      (
        select f.followers
        from fortnite.creator_follower as f
        where f.creator_id = c.creator_id and f.ts < v_until
        order by f.ts desc
        limit 1
      ) as followers,
      (coalesce(s.minutes_played, 0) / 1440.0)::real as ccu,
      coalesce(s.minutes_played, 0)::bigint as minutes_played
    from fortnite.creator as c
    left join sampled as s on c.account_id = s.account_id
    left join owned as k on c.account_id = k.account_id
    where
      s.account_id is not null
      or c.creator_id in (
        select g.creator_id
        from fortnite.creator_change as g
        where g.changed_at >= v_from and g.changed_at < v_until
      )
  ),

  unsaid as (
    delete from fortnite.creator_daily as o
    where o.day = p_day and not exists (select from fresh as f where f.creator_id = o.creator_id)
  ),

  written as (
    insert into fortnite.creator_daily as o (day, creator_id, islands, played, followers, ccu, minutes_played)
    select
      p_day,
      f.creator_id,
      f.islands,
      f.played,
      f.followers,
      f.ccu,
      f.minutes_played
    from fresh as f
    order by f.creator_id
    on conflict (creator_id, day) do update
      set
        islands = excluded.islands,
        played = excluded.played,
        followers = excluded.followers,
        ccu = excluded.ccu,
        minutes_played = excluded.minutes_played
      where
        (o.islands, o.played, o.followers, o.ccu, o.minutes_played)
        is distinct from
        (excluded.islands, excluded.played, excluded.followers, excluded.ccu, excluded.minutes_played)
    returning o.creator_id
  )

  select count(*) into v_written
  from written as w;

  update fortnite.creator_change as g
  set
    islands = d.islands,
    followers = d.followers,
    ccu = d.ccu,
    minutes_played = d.minutes_played
  from fortnite.creator_daily as d
  where
    d.day = p_day
    and d.creator_id = g.creator_id
    and g.changed_at >= v_from
    and g.changed_at < v_until
    and (g.islands, g.followers, g.ccu, g.minutes_played)
    is distinct from (d.islands, d.followers, d.ccu, d.minutes_played);
  return v_written;
end
$$;

comment on function fortnite.close_creators(date) is
'Adds up a UTC day that is over for every creator who was played or changed that day, and writes the totals beside '
'the changes of that day. Done again it gives the same rows, or corrected ones after late samples; islands are '
'counted for who has them by now. Gives how many rows were written';
