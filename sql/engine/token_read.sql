create function engine.token_read(p_name text)
returns table (ciphertext bytea, left_s double precision)
language sql
begin atomic
  select
    t.ciphertext,
    extract(epoch from t.expires_at - clock_timestamp())::double precision as left_s
  from engine.token as t
  where t.name = p_name and t.ciphertext is not null;
end;

comment on function engine.token_read(text) is
'The stored token, encrypted, and the seconds it has left by this server''s clock; no row: none';
