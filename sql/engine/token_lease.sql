create function engine.token_lease(p_name text, p_seen bytea, p_seconds double precision)
returns table (lease bigint, paused_s double precision)
language plpgsql
as $$
begin
  insert into engine.token (name) values (p_name) on conflict (name) do nothing;
  -- what was seen must still be there: else somebody has just refreshed it
  update engine.token as t
  set
    refreshing_lease = nextval('engine.lease'),
    refreshing_until = clock_timestamp() + make_interval(secs => p_seconds)
  where t.name = p_name
    and t.ciphertext is not distinct from p_seen
    and t.refreshing_until < clock_timestamp()
  returning t.refreshing_lease into lease;
  if lease is null then
    select extract(epoch from t.refreshing_until - clock_timestamp()) into paused_s
    from engine.token as t
    where t.name = p_name
      and t.refreshing_lease is null
      and t.refreshing_until > clock_timestamp();
  end if;
  return next;
end;
$$;

comment on function engine.token_lease(text, bytea, double precision) is
'Makes the caller the one that refreshes a token for so many seconds. No lease: another does, or has since
p_seen; with paused_s: the last attempt failed, and nobody tries for so many seconds';
