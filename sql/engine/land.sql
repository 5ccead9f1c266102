-- requires: engine.next_due
create function raw.land(
  p_resource text,
  p_apply text,
  p_lease bigint,
  p_fetched_at timestamptz,
  p_every interval[],
  p_keys text[],
  p_hashes bytea[],
  p_etags text[],
  p_bodies text[],
  p_same text[],
  p_same_hashes bytea[]
)
returns table (landed integer, changed integer, missing integer, stale integer)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_indexonlyscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set work_mem = '64MB'
as $$
declare
  v_nth integer[];
  v_versions integer[];
  v_instants timestamptz[];
  v_bodies jsonb[];
  v_given integer := cardinality(p_keys);
  v_new_gone integer;
  v_same integer := 0;
  v_same_gone integer := 0;
begin
  if p_lease is null then
    -- A listing makes its own rows: nobody asks for these entities one by one, so they are never due.
    insert into engine.crawl (resource, key, due_at)
    select
      k.resource,
      k.key,
      'infinity'
    from (select p_resource as resource, unnest(p_keys) as key) as k
    where not exists (
      select from engine.crawl as c where c.resource = k.resource and c.key = any(array[k.key])
    )
    order by k.key collate "C"
    on conflict do nothing;
    -- No lease keeps others away: all are locked in the order of keys before one is written.
    perform
    from (select u.key from unnest(p_keys || p_same) as u (key) order by u.key collate "C") as k
    cross join lateral (
      select from engine.crawl as c where c.resource = p_resource and c.key = k.key for no key update
    ) as o;
  end if;

  -- The update is the lock: what comes second to a key compares with what came first.
  with written as (
    update engine.crawl as c
    set
      class = case when c.class = 0 then 2 else c.class end,
      state = case when k.hash = '' then 'gone' else 'active' end,
      attempts = 0,
      leased_until = '-infinity',
      due_at = case
        when c.due_at = 'infinity' then c.due_at
        else engine.next_due(c.key, p_fetched_at, p_every[c.class + 1])
      end,
      last_fetched_at = greatest(c.last_fetched_at, p_fetched_at),
      last_changed_at = greatest(c.last_fetched_at, p_fetched_at),
      version = c.version + 1,
      body_hash = k.hash,
      etag = k.etag,
      last_error = null
    from (
      select
        p_resource as resource,
        unnest(p_keys) as key,
        unnest(p_hashes) as hash,
        unnest(p_etags) as etag,
        generate_subscripts(p_keys, 1) as nth
    ) as k
    where
      -- So put that one look-up a key is the only way in: a plan made while the table was empty must hold.
      c.resource = k.resource
      and c.key = any(array[k.key])
      and (c.lease = p_lease or (p_lease is null and coalesce(c.last_fetched_at <= p_fetched_at, true)))
      and c.body_hash is distinct from k.hash
    returning k.nth, c.version, c.last_fetched_at, k.hash
  )

  select
    array_agg(w.nth order by w.nth),
    array_agg(w.version order by w.nth),
    array_agg(w.last_fetched_at order by w.nth),
    count(*) filter (where w.hash = '')
  into v_nth, v_versions, v_instants, v_new_gone
  from written as w;
  changed := coalesce(cardinality(v_nth), 0);

  if changed < v_given or p_same <> '{}' then
    with settled as (
      update engine.crawl as c
      set
        class = case when c.class = 0 then 2 else c.class end,
        state = case when c.body_hash = '' then 'gone' else 'active' end,
        attempts = 0,
        leased_until = '-infinity',
        due_at = case
          when c.due_at = 'infinity' then c.due_at
          -- The longer it has been gone, the less often it is asked for.
          when c.body_hash = ''
            then engine.next_due(
              c.key,
              p_fetched_at,
              least(greatest(p_fetched_at - c.last_changed_at, p_every[c.class + 1]), interval '30 days')
            )
          else engine.next_due(c.key, p_fetched_at, p_every[c.class + 1])
        end,
        last_fetched_at = greatest(c.last_fetched_at, p_fetched_at),
        last_error = null
      from (
        select
          p_resource as resource,
          unnest(p_same) as key,
          unnest(p_same_hashes) as hash
        union all
        select
          p_resource,
          k.key,
          k.hash
        from unnest(p_keys, p_hashes) with ordinality as k (key, hash, nth)
        where k.nth <> all(coalesce(v_nth, '{}'))
        offset 0
      ) as k
      where
        c.resource = k.resource
        and c.key = any(array[k.key])
        and (c.lease = p_lease or (p_lease is null and c.last_fetched_at <= p_fetched_at))
        and (k.hash is null or c.body_hash = k.hash)
      returning c.state
    )

    select
      count(*),
      count(*) filter (where t.state = 'gone')
    into v_same, v_same_gone
    from settled as t;
  end if;

  if changed > 0 then
    if changed < v_given then
      select
        array_agg(k.key order by k.nth),
        array_agg(k.hash order by k.nth),
        array_agg(k.body order by k.nth)
      into p_keys, p_hashes, p_bodies
      from unnest(p_keys, p_hashes, p_bodies) with ordinality as k (key, hash, body, nth)
      where k.nth = any(v_nth);
    end if;
    -- Row by row, each in memory that is free again after it: reading an array of jsonb keeps that of all.
    v_bodies := array(select unnest(p_bodies)::jsonb);
    insert into raw.document (resource, key, version, fetched_at, body_hash, body)
    select
      p_resource,
      k.key,
      k.version,
      k.fetched_at,
      k.hash,
      k.body
    from (
      -- In a select list, not in from: that would store every body once more.
      select
        unnest(p_keys) as key,
        unnest(v_versions) as version,
        unnest(v_instants) as fetched_at,
        unnest(p_hashes) as hash,
        unnest(v_bodies) as body
    ) as k;
    execute format('select %s($1, $2, $3, $4)', p_apply::regproc)
    using p_resource, v_instants, p_keys, v_bodies;
  end if;

  missing := v_new_gone + v_same_gone;
  stale := v_given + cardinality(p_same) - changed - v_same;
  landed := changed + v_same - missing;
  changed := changed - v_new_gone;
  return next;
end
$$;

comment on function raw.land(
  text, text, bigint, timestamptz, interval[], text[], bytea[], text[], text[], text[], bytea[]
) is
'Lands what one request gave, in one transaction: a new version of each body that differs from the latest one, its '
'typed row through the apply function, and the crawl rows settled. Keys come once each and in byte order, bodies as '
'JSON texts; a hash of no bytes with the body null says that upstream has the entity no more. p_same are entities '
'whose body is the one we have. With a lease only what it still holds is touched; without (a listing, hashes given for '
'p_same too) only what nothing newer was landed for. stale counts the rest. A second call with the same arguments '
'changes nothing';
