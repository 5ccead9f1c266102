create function engine.abandon(p_resource text, p_lease bigint, p_keys text[], p_reason text default null)
returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_abandoned integer;
begin
  update engine.crawl as c
  set
    leased_until = least(c.leased_until, now()),
    last_error = coalesce(p_reason, c.last_error)
  from (
    select
      p_resource as resource,
      u.key
    from unnest(p_keys) as u (key)
    order by u.key collate "C"
    offset 0
  ) as k
  where
    -- One look-up a key is the only way in: a plan made while the table was empty must hold.
    c.resource = k.resource
    and c.key = any(array[k.key])
    and c.lease = p_lease
    and c.leased_until > '-infinity';
  get diagnostics v_abandoned = row_count;
  return v_abandoned;
end
$$;

comment on function engine.abandon(text, bigint, text[], text) is
'Ends the lease of claimed entities as if their worker had died: the attempt counts, and each is claimed alone next. '
'The reason is what ops.dead tells of one that comes to nothing each time. Gives how many were still held';
