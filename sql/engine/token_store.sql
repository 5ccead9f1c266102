create function engine.token_store(
  p_name text, p_lease bigint, p_ciphertext bytea, p_life_s double precision
)
returns void
language sql
begin atomic
  update engine.token as t
  set
    ciphertext = p_ciphertext,
    expires_at = clock_timestamp() + make_interval(secs => p_life_s),
    refreshing_until = '-infinity',
    refreshing_lease = null
  where t.name = p_name and t.refreshing_lease = p_lease;
end;

comment on function engine.token_store(text, bigint, bytea, double precision) is
'Stores a refreshed token, encrypted, and ends the lease; does nothing where another has the lease';
