-- requires: fortnite.ccu_moved, fortnite.peak_ccu, fortnite.peak_at
create function fortnite.follow_past_ccu(p_ts timestamptz[], p_ids integer[], p_ccu integer[])
returns integer[]
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  v_newest timestamptz;
  v_stored_until timestamptz;
  v_marked integer[];
begin
  select s.newest into strict v_newest from engine.series as s where s.relation = 'fortnite.ccu';
  select s.refreshed_until into strict v_stored_until
  from engine.series as s
  where s.relation = 'fortnite.ccu_hourly';

  with packed as materialized (
    select
      u.island_id,
      min(u.ts) as first_ts,
      max((date_part('epoch', u.ts)::bigint << 31) + u.ccu) as last_key,
      max((u.ccu::bigint << 32) - date_part('epoch', u.ts)::bigint) as peak_key
    from unnest(p_ts, p_ids, p_ccu) as u (ts, island_id, ccu)
    group by u.island_id
  ),

  given as materialized (
    select
      p.island_id,
      p.first_ts,
      to_timestamp(p.last_key >> 31) as last_ts,
      (p.last_key & 2147483647)::integer as last_ccu,
      fortnite.peak_ccu(p.peak_key) as peak,
      fortnite.peak_at(p.peak_key) as peak_at
    from packed as p
    order by p.island_id
  ),

  fresh as (
    insert into fortnite.island_now (island_id, ts, recorded_at, since, marked_at, ccu, marked_ccu, record_ccu)
    select
      g.island_id,
      g.last_ts,
      g.peak_at,
      g.first_ts,
      g.last_ts,
      g.last_ccu,
      g.last_ccu,
      g.peak
    from given as g
    on conflict (island_id) do nothing
    returning island_id
  ),

  judged as materialized (
    select
      g.*,
      n.ts <= g.last_ts as is_later,
      greatest(o.ts, to_timestamp(h.last_key >> 31)) as later_ts
    from given as g
    inner join fortnite.island_now as n on g.island_id = n.island_id
    left join lateral (
      select i.ts
      from generate_series(
        v_newest, greatest(v_stored_until, g.last_ts + interval '10 minutes'), interval '-10 minutes'
      ) as i (ts)
      cross join lateral (
        select from fortnite.ccu as r where r.ts = i.ts and r.island_id = g.island_id
        offset 0
      ) as c
      where n.ts <= g.last_ts
      order by i.ts desc
      limit 1
    ) as o on true
    left join lateral (
      select s.last_key
      from fortnite.ccu_hourly_store as s
      where
        n.ts <= g.last_ts
        and s.island_id = g.island_id
        and s.ts >= date_bin('1 hour', g.last_ts, '2000-01-01 00:00:00+00')
        and s.ts < v_stored_until
        and s.last_key >> 31 > date_part('epoch', g.last_ts)::bigint
      order by s.ts desc
      limit 1
    ) as h on true
    where
      n.ts <= g.last_ts
      or g.peak > n.record_ccu
      or (g.peak = n.record_ccu and g.peak_at < n.recorded_at)
      or g.first_ts < n.since
  ),

  followed as (
    update fortnite.island_now as n
    set
      ts = case when j.is_later then coalesce(j.later_ts, j.last_ts) else n.ts end,
      ccu = case when j.is_later and j.later_ts is null then j.last_ccu else n.ccu end,
      marked_at = case
        when j.is_later and j.later_ts is null and fortnite.ccu_moved(n.marked_ccu, j.last_ccu)
          then j.last_ts
        else n.marked_at
      end,
      marked_ccu = case
        when j.is_later and j.later_ts is null and fortnite.ccu_moved(n.marked_ccu, j.last_ccu)
          then j.last_ccu
        else n.marked_ccu
      end,
      record_ccu = greatest(n.record_ccu, j.peak),
      recorded_at = case
        when j.peak > n.record_ccu then j.peak_at
        when j.peak = n.record_ccu then least(n.recorded_at, j.peak_at)
        else n.recorded_at
      end,
      since = least(n.since, j.first_ts)
    from judged as j
    where n.island_id = j.island_id
    returning
      n.island_id,
      (n.recorded_at = j.peak_at or n.since = j.first_ts or (n.ts = j.last_ts and n.marked_ccu = n.ccu)) as told
  )

  select array_agg(m.island_id)
  into v_marked
  from (
    select f.island_id from fresh as f
    union all
    select f.island_id from followed as f where f.told
  ) as m;
  return v_marked;
end
$$;

comment on function fortnite.follow_past_ccu(timestamptz[], integer[], integer[]) is
'Lets samples of older cycles, in any order, correct what is known of islands: the record upward alone, the '
'first sample backward alone, the latest CCU where nothing newer was sampled. Gives the islands whose '
'documents are to be marked. Only the one who holds the lock of the series alone may call it.';
