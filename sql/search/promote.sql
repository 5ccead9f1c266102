create function search.promote(p_index text, p_physical text) returns boolean
language plpgsql
as $$
begin
  lock table search.target in share row exclusive mode;
  if not exists (
    select from search.target as t
    where
      t.index = p_index and t.physical = p_physical and t.state = 'building'
      and t.filled_at is not null and not t.catch_up
  ) then
    return false;
  end if;
  update search.target as t
  set state = 'retired', retired_at = clock_timestamp()
  where t.index = p_index and t.state = 'live';
  update search.target as t
  set state = 'live', live_at = clock_timestamp()
  where t.index = p_index and t.physical = p_physical;
  return true;
end
$$;

comment on function search.promote(text, text) is
'Makes the physical index that was built the live one and retires the one before. The alias follows what
this says. False when it is not being built, or not full, any more';
