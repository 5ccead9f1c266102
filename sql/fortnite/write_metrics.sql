-- requires: fortnite.metric_lag
create function fortnite.write_metrics(p_reads jsonb) returns table (inserted integer, revised integer)
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  with given as (
    select
      i.island_id,
      r.read_at,
      b.*,
      num_nonnulls(
        b.peak_ccu, b.unique_players, b.plays, b.minutes_played, b.average_minutes_per_player, b.favorites,
        b.recommendations, b.retention_d1, b.retention_d7
      ) > 0 as told,
      coalesce(b.whole, false)
      and b.ts + make_interval(mins => b.minutes) + fortnite.metric_lag() <= r.read_at as closed
    from jsonb_to_recordset(p_reads) as r (code text, read_at timestamptz, buckets jsonb)
    inner join fortnite.island as i on r.code = i.code
    cross join lateral jsonb_to_recordset(r.buckets)
      as b (
        minutes smallint,
        ts timestamptz,
        whole boolean,
        said text[],
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
  ),

  -- A null takes the place of a value only where upstream says it in a closed bucket that has another value: a bucket
  -- without any says nothing, and is left out.
  fresh as materialized (
    select
      g.island_id,
      g.ts,
      g.minutes,
      g.read_at,
      m.island_id is null as is_new,
      coalesce(m.partial, true) and not g.closed as partial,
      case when g.closed and 'peak_ccu' = any(g.said) then g.peak_ccu
        else coalesce(g.peak_ccu, m.peak_ccu) end as peak_ccu,
      case when g.closed and 'unique_players' = any(g.said) then g.unique_players
        else coalesce(g.unique_players, m.unique_players) end as unique_players,
      case when g.closed and 'plays' = any(g.said) then g.plays
        else coalesce(g.plays, m.plays) end as plays,
      case when g.closed and 'minutes_played' = any(g.said) then g.minutes_played
        else coalesce(g.minutes_played, m.minutes_played) end as minutes_played,
      case when g.closed and 'average_minutes_per_player' = any(g.said) then g.average_minutes_per_player
        else coalesce(g.average_minutes_per_player, m.average_minutes_per_player)
      end as average_minutes_per_player,
      case when g.closed and 'favorites' = any(g.said) then g.favorites
        else coalesce(g.favorites, m.favorites) end as favorites,
      case when g.closed and 'recommendations' = any(g.said) then g.recommendations
        else coalesce(g.recommendations, m.recommendations) end as recommendations,
      case when g.closed and 'retention_d1' = any(g.said) then g.retention_d1
        else coalesce(g.retention_d1, m.retention_d1) end as retention_d1,
      case when g.closed and 'retention_d7' = any(g.said) then g.retention_d7
        else coalesce(g.retention_d7, m.retention_d7) end as retention_d7
    from given as g
    left join fortnite.island_metric as m
      on g.island_id = m.island_id and g.ts = m.ts and g.minutes = m.bucket_minutes
    where g.told and (m.read_at is null or m.read_at <= g.read_at)
  ),

  added as (
    insert into fortnite.island_metric (
      island_id, ts, bucket_minutes, read_at, partial,
      peak_ccu, unique_players, plays, minutes_played, average_minutes_per_player, favorites, recommendations,
      retention_d1, retention_d7
    )
    select
      f.island_id, f.ts, f.minutes, f.read_at, f.partial,
      f.peak_ccu, f.unique_players, f.plays, f.minutes_played, f.average_minutes_per_player, f.favorites,
      f.recommendations, f.retention_d1, f.retention_d7
    from fresh as f
    where f.is_new
    order by f.island_id, f.ts, f.minutes
    returning 1
  ),

  changed as (
    update fortnite.island_metric as m
    set
      read_at = f.read_at,
      partial = f.partial,
      peak_ccu = f.peak_ccu,
      unique_players = f.unique_players,
      plays = f.plays,
      minutes_played = f.minutes_played,
      average_minutes_per_player = f.average_minutes_per_player,
      favorites = f.favorites,
      recommendations = f.recommendations,
      retention_d1 = f.retention_d1,
      retention_d7 = f.retention_d7
    from fresh as f
    where
      not f.is_new
      and m.island_id = f.island_id
      and m.ts = f.ts
      and m.bucket_minutes = f.minutes
      and (
        f.partial, f.peak_ccu, f.unique_players, f.plays, f.minutes_played, f.average_minutes_per_player,
        f.favorites, f.recommendations, f.retention_d1, f.retention_d7
      ) is distinct from (
        m.partial, m.peak_ccu, m.unique_players, m.plays, m.minutes_played, m.average_minutes_per_player,
        m.favorites, m.recommendations, m.retention_d1, m.retention_d7
      )
    returning 1
  )

  select
    (select count(*) from added),
    (select count(*) from changed)
  into inserted, revised;
  return next;
end
$$;

comment on function fortnite.write_metrics(jsonb) is
'Stores the buckets of reads (as fortnite.take_metrics has them) in which something was told, and revises those that
are there. A value takes the place of what was there. A null does so only where upstream says it in a closed bucket,
told whole, that has another value; in a bucket still partial, or without any value, it says nothing. What a later read
wrote stays, and a row that would stay as it is is not written';
