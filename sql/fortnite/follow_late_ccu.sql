-- requires: fortnite.ccu_moved
create function fortnite.follow_late_ccu(p_ts timestamptz, p_ids integer[], p_ccu integer[])
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

  with given as (
    select
      u.island_id,
      u.ccu
    from unnest(p_ids, p_ccu) as u (island_id, ccu)
  ),

  fresh as (
    insert into fortnite.island_now (island_id, ts, recorded_at, since, marked_at, ccu, marked_ccu, record_ccu)
    select
      g.island_id,
      p_ts,
      p_ts,
      p_ts,
      p_ts,
      g.ccu,
      g.ccu,
      g.ccu
    from given as g
    on conflict (island_id) do nothing
    returning island_id
  ),

  later as materialized (
    select
      g.island_id,
      g.ccu,
      greatest(o.ts, to_timestamp(h.last_key >> 31)) as ts
    from given as g
    inner join fortnite.island_now as n on g.island_id = n.island_id and n.ts <= p_ts
    left join lateral (
      select i.ts
      from generate_series(
        v_newest, greatest(v_stored_until, p_ts + interval '10 minutes'), interval '-10 minutes'
      ) as i (ts)
      cross join lateral (
        select from fortnite.ccu as r where r.ts = i.ts and r.island_id = g.island_id
        offset 0
      ) as c
      order by i.ts desc
      limit 1
    ) as o on true
    left join lateral (
      select s.last_key
      from fortnite.ccu_hourly_store as s
      where
        s.island_id = g.island_id
        and s.ts >= date_bin('1 hour', p_ts, '2000-01-01 00:00:00+00')
        and s.ts < v_stored_until
        and s.last_key >> 31 > date_part('epoch', p_ts)::bigint
      order by s.ts desc
      limit 1
    ) as h on true
  ),

  followed as (
    update fortnite.island_now as n
    set
      ts = case when l.island_id is null then n.ts else coalesce(l.ts, p_ts) end,
      ccu = case when l.island_id is not null and l.ts is null then g.ccu else n.ccu end,
      marked_at = case
        when l.island_id is not null and l.ts is null and fortnite.ccu_moved(n.marked_ccu, g.ccu)
          then p_ts
        else n.marked_at
      end,
      marked_ccu = case
        when l.island_id is not null and l.ts is null and fortnite.ccu_moved(n.marked_ccu, g.ccu)
          then g.ccu
        else n.marked_ccu
      end,
      record_ccu = greatest(n.record_ccu, g.ccu),
      recorded_at = case
        when g.ccu > n.record_ccu then p_ts
        when g.ccu = n.record_ccu then least(n.recorded_at, p_ts)
        else n.recorded_at
      end,
      since = least(n.since, p_ts)
    from given as g
    left join later as l on g.island_id = l.island_id
    where
      n.island_id = g.island_id
      and (
        l.island_id is not null
        or g.ccu > n.record_ccu
        or (g.ccu = n.record_ccu and p_ts < n.recorded_at)
        or p_ts < n.since
      )
    returning
      n.island_id,
      (p_ts in (n.recorded_at, n.since) or (n.ts = p_ts and n.marked_ccu = n.ccu)) as told
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

comment on function fortnite.follow_late_ccu(timestamptz, integer[], integer[]) is
'Lets samples of an older cycle correct what is known of islands: the record upward alone, the first sample '
'backward alone, the latest CCU where nothing newer was sampled. Gives the islands whose documents are to '
'be marked.';
