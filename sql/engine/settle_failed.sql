create function engine.settle_failed(
  p_resource text,
  p_lease bigint,
  p_attempts integer,
  p_keys text[],
  p_reasons text[]
)
returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_settled integer;
begin
  update engine.crawl as c
  set
    state = case when c.attempts >= p_attempts then 'dead' else c.state end,
    leased_until = '-infinity',
    last_error = k.reason,
    due_at = engine.next_due(
      c.key, now(), least(interval '1 day', interval '1 minute' * 2 ^ least(c.attempts, 11))
    )
  from (
    select
      p_resource as resource,
      u.key,
      u.reason
    from unnest(p_keys, p_reasons) as u (key, reason)
    order by u.key collate "C"
    offset 0
  ) as k
  where
    -- One look-up a key is the only way in: a plan made while the table was empty must hold.
    c.resource = k.resource
    and c.key = any(array[k.key])
    and c.lease = p_lease
    and c.leased_until > '-infinity';
  get diagnostics v_settled = row_count;
  return v_settled;
end
$$;

comment on function engine.settle_failed(text, bigint, integer, text[], text[]) is
'Reschedules claimed entities that failed, each with its reason: after 2 minutes, then twice as long each time up to a '
'day, and never again after so many attempts: then they are dead until revived. Gives how many were still held';
