create function engine.throttle_level(p_throttle engine.throttle, p_at timestamptz)
returns double precision
language sql
immutable parallel safe
begin atomic
  -- nothing flows in while it is closed, and nothing flows out when the clock was set back
  select least(
    (p_throttle).capacity,
    (p_throttle).tokens + (p_throttle).per_second * greatest(0, extract(
      epoch from p_at - greatest((p_throttle).closed_until, (p_throttle).refilled_at)
    ))
  );
end;

comment on function engine.throttle_level(engine.throttle, timestamptz) is
'Tokens in a bucket at an instant; below zero are those already promised to workers that wait';
