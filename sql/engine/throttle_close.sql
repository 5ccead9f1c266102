create function engine.throttle_close(p_name text, p_seconds double precision, p_reason text)
returns timestamptz
language plpgsql
as $$
declare
  v_until timestamptz := clock_timestamp() + make_interval(secs => greatest(0, p_seconds));
begin
  -- an earlier end than the one in force changes nothing; a later one voids what was promised, so
  -- that those who wait line up again behind the opening instead of all passing at once
  update engine.throttle as t
  set
    closed_until = v_until,
    closed_reason = p_reason,
    tokens = 1,
    refilled_at = v_until
  where t.name = p_name and t.closed_until < v_until;
  select t.closed_until into v_until from engine.throttle as t where t.name = p_name;
  if not found then
    raise exception 'throttle % is not declared: call engine.throttle_declare first', p_name
      using errcode = 'undefined_object';
  end if;
  return v_until;
end;
$$;

comment on function engine.throttle_close(text, double precision, text) is
'Closes a bucket for everyone for so many seconds from now, by this server''s clock; returns until when';
