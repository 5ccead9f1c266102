create function search.adopt(p_index text, p_lost text, p_physical text) returns boolean
language plpgsql
as $$
begin
  lock table search.target in share row exclusive mode;
  update search.target as t
  set
    state = 'retired',
    retired_at = clock_timestamp()
  where t.index = p_index and t.physical = p_lost and t.state = 'live';
  if not found then
    return false;
  end if;
  insert into search.target as t (index, physical, state, content_hash, filled_at, live_at)
  values (p_index, p_physical, 'live', 'stale', clock_timestamp(), clock_timestamp())
  on conflict (index, physical) do update
    set
      state = excluded.state,
      content_hash = excluded.content_hash,
      fill_after = null,
      filled_at = excluded.filled_at,
      retired_at = null,
      live_at = excluded.live_at,
      catch_up = false;
  -- It was being built when the dump was taken: what was in hand then is no part of it.
  delete from search.slice as s
  where s.index = p_index and s.physical = p_physical;
  return true;
end
$$;

comment on function search.adopt(text, text, text) is
'Has a physical index that readers search be the live one, in the place of one that is lost: a restored database may '
'not know it. It counts as stale: search.register, called next, begins another one beside it. False when the lost one '
'is live no more';
