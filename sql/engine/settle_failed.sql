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
set random_page_cost = 0
set cpu_index_tuple_cost = 100
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
      u.key,
      u.reason
    from unnest(p_keys, p_reasons) as u (key, reason)
    order by u.key collate "C"
  ) as k
  where
    c.resource = p_resource
    and c.key = k.key
    and c.lease = p_lease
    and c.leased_until > '-infinity';
  get diagnostics v_settled = row_count;
  return v_settled;
end
$$;

comment on function engine.settle_failed(text, bigint, integer, text[], text[]) is
'Reschedules claimed entities that failed, each with its reason: after 2 minutes, then twice as long each time up to a '
'day, and never again after so many attempts: then they are dead until revived. Gives how many were still held';
