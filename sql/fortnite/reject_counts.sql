create function fortnite.reject_counts(p_ts timestamptz, p_codes text[], p_reasons text[], p_bodies bytea[])
returns integer
language plpgsql
as $$
declare
  v_rejected integer;
begin
  -- a cycle that is repeated says the same again
  insert into raw.rejected (resource, key, fetched_at, reason, body)
  select
    'fortnite.ccu',
    u.code,
    p_ts,
    u.reason,
    u.body
  from unnest(p_codes, p_reasons, p_bodies) as u (code, reason, body)
  where not exists (
    select
    from raw.rejected as r
    where
      r.resource = 'fortnite.ccu'
      and r.fetched_at = p_ts
      and r.key is not distinct from u.code
      and r.body = u.body
  );
  get diagnostics v_rejected = row_count;
  return v_rejected;
end
$$;

comment on function fortnite.reject_counts(timestamptz, text[], text[], bytea[]) is
'Sets play counts of a cycle aside that cannot be read, once each. Gives how many';
