create function fortnite.reject_ccu(p_ts timestamptz, p_floor timestamptz, p_codes text[], p_ccu integer[])
returns void
language sql
begin atomic
  insert into raw.rejected (resource, key, fetched_at, reason, body)
  select
    'fortnite.ccu',
    u.code,
    p_ts,
    format('older than %s, before which CCU is not kept', p_floor at time zone 'UTC'),
    convert_to(json_build_object('ts', p_ts, 'code', u.code, 'ccu', u.ccu)::text, 'UTF8')
  from unnest(p_codes, p_ccu) as u (code, ccu)
  where not exists (
    select from raw.rejected as r
    where r.resource = 'fortnite.ccu' and r.fetched_at = p_ts and r.key = u.code
  );
end;

comment on function fortnite.reject_ccu(timestamptz, timestamptz, text[], integer[]) is
'Sets aside samples that are older than the floor of the series, once each.';
