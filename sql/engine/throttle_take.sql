-- requires: engine.throttle_level
create function engine.throttle_take(
  p_name text,
  p_n double precision,
  p_patience_s double precision default null,
  p_ticket double precision default null
)
returns table (granted boolean, wait_s double precision, ticket double precision)
language plpgsql
as $$
declare
  v_row engine.throttle;
  v_at timestamptz;
  v_hour timestamptz;
  v_tokens double precision;
begin
  select t.* into v_row from engine.throttle as t where t.name = p_name for no key update;
  if not found then
    raise exception 'throttle % is not declared: call engine.throttle_declare first', p_name
      using errcode = 'undefined_object';
  end if;
  if p_n <= 0 or p_n > v_row.capacity then
    raise exception 'throttle %: cannot take % tokens, it holds % at most', p_name, p_n, v_row.capacity
      using errcode = 'invalid_parameter_value';
  end if;
  ticket := extract(epoch from v_row.closed_until);
  if p_ticket = ticket then
    -- the promise made at that ticket holds: nothing closed the bucket since
    return query select true, 0::double precision, ticket;
    return;
  end if;
  v_at := clock_timestamp();
  v_tokens := engine.throttle_level(v_row, v_at) - p_n;
  wait_s := extract(epoch from greatest(v_row.closed_until, v_at) - v_at)
    + greatest(0, -v_tokens) / v_row.per_second;
  granted := p_patience_s is null or wait_s <= p_patience_s;
  if granted then
    v_hour := date_trunc('hour', v_at, 'UTC');
    update engine.throttle as t
    set
      tokens = v_tokens,
      refilled_at = v_at,
      hour = v_hour,
      taken = p_n + case when t.hour = v_hour then t.taken else 0 end,
      taken_before = case t.hour
        when v_hour then t.taken_before
        when v_hour - interval '1 hour' then t.taken
        else 0
      end
    where t.name = p_name;
  end if;
  return next;
end;
$$;

comment on function engine.throttle_take(text, double precision, double precision, double precision) is
'Takes tokens from a bucket, or promises them. Granted without a wait: go. Granted with a wait: sleep so long
outside any transaction and ask again with the ticket, which tells whether the promise still holds. Not granted:
the wait is longer than the patience, and nothing was taken';
