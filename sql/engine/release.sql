create function engine.release(
  p_resource text,
  p_lease bigint,
  p_keys text[],
  p_due_at timestamptz default null,
  p_spread interval default '0'
)
returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
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
    due_at = greatest(c.due_at, p_due_at + p_spread * random())
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
  get diagnostics v_released = row_count;
  return v_released;
end
$$;

comment on function engine.release(text, bigint, text[], timestamptz, interval) is
'Gives claimed entities back unblamed: the attempt is taken off again, and they are not due before the instant given, '
'each later by a random part of the spread. Only what is still held by the lease; a second call does nothing. Gives '
'how many';
