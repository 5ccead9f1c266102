create function engine.release(p_resource text, p_lease bigint, p_keys text[], p_due_at timestamptz default null)
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
  v_released integer;
begin
  update engine.crawl as c
  set
    attempts = greatest(c.attempts - 1, 0),
    leased_until = '-infinity',
    due_at = greatest(c.due_at, p_due_at)
  from (select u.key from unnest(p_keys) as u (key) order by u.key collate "C") as k
  where
    c.resource = p_resource
    and c.key = k.key
    and c.lease = p_lease
    and c.leased_until > '-infinity';
  get diagnostics v_released = row_count;
  return v_released;
end
$$;

comment on function engine.release(text, bigint, text[], timestamptz) is
'Gives claimed entities back unblamed: the attempt is taken off again, and they are not due before the instant given. '
'Only what is still held by the lease; a second call does nothing. Gives how many';
