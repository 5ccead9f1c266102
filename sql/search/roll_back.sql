create function search.roll_back(p_index text, p_hash text) returns text
language plpgsql
as $$
declare
  v_physical text;
begin
  lock table search.target in share row exclusive mode;
  select t.physical into v_physical
  from search.target as t
  where t.index = p_index and t.state <> 'live' and t.live_at is not null
  -- One that a rollback has begun to bring up to date goes on.
  order by t.state, t.retired_at desc
  limit 1;
  if v_physical is null then
    return null;
  end if;
  update search.target as t
  set state = 'retired', retired_at = clock_timestamp()
  where t.index = p_index and t.state = 'building' and t.physical <> v_physical;
  -- It stands for what the code wants now, or the next sync would build that again.
  update search.target as t
  set content_hash = case when t.physical = v_physical then p_hash else 'stale' end
  where t.index = p_index and (t.physical = v_physical or t.state = 'live');
  update search.target as t
  set state = 'building', retired_at = null, filled_at = null, catch_up = true
  where t.index = p_index and t.physical = v_physical and t.state = 'retired';
  return v_physical;
end
$$;

comment on function search.roll_back(text, text) is
'Makes the physical index that was live before the present one a target again: it is brought up to date and
then takes its place back. Its name; null when none is kept';
