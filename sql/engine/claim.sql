create function engine.claim(
  p_resource text,
  p_n integer,
  p_lease interval,
  p_shares real[],
  p_attempts integer
)
returns table (
  key text,
  class smallint,
  attempts smallint,
  lease bigint,
  etag text,
  body_hash bytea,
  claimed_at timestamptz
)
language plpgsql
set plan_cache_mode = force_generic_plan
set random_page_cost = 0
set cpu_index_tuple_cost = 100
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set jit = off
as $$
declare
  v_lease bigint := nextval('engine.lease');
  v_luck double precision := random();
  -- Every other claim, so that what a killed worker held does not keep all else waiting.
  v_died_first boolean := random() < 0.5;
  v_shares integer[];
  v_quota integer[];
  v_rows tid[];
  v_died tid;
  v_left integer := p_n;
  v_class integer := -1;
begin
  -- A share of a small claim is a fraction; luck rounds it so that each class gets its share in the long run.
  select array_agg(floor(s.upto * p_n + v_luck) - floor(s.before * p_n + v_luck) order by s.class)
  into v_shares
  from (
    select
      u.class,
      sum(u.share::numeric) over (order by u.class) as upto,
      sum(u.share::numeric) over (order by u.class) - u.share::numeric as before
    from unnest(p_shares) with ordinality as u (share, class)
  ) as s;

  v_quota := v_shares;
  -- First what each class is owed, then, class by class, what others left.
  loop
    select
      array_agg(d.place) filter (where not d.died),
      (array_agg(d.place order by d.class, d.due_at) filter (where d.died))[1]
    into v_rows, v_died
    from unnest(v_quota) with ordinality as q (quota, nth)
    cross join lateral (
      select
        c.ctid as place,
        c.class,
        c.due_at,
        c.leased_until > '-infinity' as died
      from engine.crawl as c
      where
        c.resource = p_resource
        and c.class = q.nth - 1
        and c.state <> 'dead'
        and c.due_at <= now()
        and c.leased_until <= case when v_died_first then now() else '-infinity' end
      order by c.due_at
      limit q.quota
      for no key update skip locked
    ) as d;

    if v_died is not null and v_left = p_n then
      -- Whoever held this one died with it in hand, and it may be why: it comes alone, or has come often enough.
      update engine.crawl as c
      set
        state = 'dead',
        leased_until = '-infinity',
        last_error = coalesce(c.last_error, 'the worker that held it died, each time')
      where c.ctid = v_died and c.attempts >= p_attempts;
      continue when found;
      v_rows := array[v_died];
      v_left := 1;
    end if;

    return query
    update engine.crawl as c
    set
      attempts = c.attempts + 1,
      lease = v_lease,
      leased_until = now() + p_lease
    where c.ctid = any(v_rows)
    returning c.key, c.class, c.attempts, c.lease, c.etag, c.body_hash, now();

    v_left := v_left - coalesce(cardinality(v_rows), 0);
    v_class := v_class + 1;
    exit when v_left <= 0 or (v_class > 3 and (v_died_first or v_left < p_n));
    if v_class > 3 then
      v_died_first := true;
      v_class := -1;
      v_quota := v_shares;
    else
      v_quota := array_fill(0, array[4]);
      v_quota[v_class + 1] := v_left;
    end if;
  end loop;
end
$$;

comment on function engine.claim(text, integer, interval, real[], integer) is
'Leases up to so many entities that are due, for so long: each class (0 to 3) its share, then class by class what is '
'left, the longest due first. attempts rises here. What a worker died with is claimed alone, by every other claim '
'while anything else is due, and is dead after so many attempts. claimed_at is the clock that fetches are dated by';
