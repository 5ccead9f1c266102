create function engine.token_release(p_name text, p_lease bigint, p_pause_s double precision)
returns void
language sql
begin atomic
  -- the pause keeps every other worker from asking for what was refused a moment ago
  update engine.token as t
  set
    refreshing_until = clock_timestamp() + make_interval(secs => p_pause_s),
    refreshing_lease = null
  where t.name = p_name and t.refreshing_lease = p_lease;
end;

comment on function engine.token_release(text, bigint, double precision) is
'Ends a lease whose refresh failed; nobody refreshes for so many seconds from now';
