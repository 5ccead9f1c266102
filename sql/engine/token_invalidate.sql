create function engine.token_invalidate(p_name text, p_ciphertext bytea)
returns void
language sql
begin atomic
  update engine.token as t
  set expires_at = least(t.expires_at, clock_timestamp())
  where t.name = p_name and t.ciphertext = p_ciphertext;
end;

comment on function engine.token_invalidate(text, bytea) is
'Ends a token that the upstream no longer takes, unless another has replaced it already';
