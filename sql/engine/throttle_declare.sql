-- requires: engine.throttle_level
create function engine.throttle_declare(
  p_name text, p_capacity double precision, p_per_second double precision
)
returns void
language sql
begin atomic
  -- a changed rate counts from now on: what flowed in at the old one is kept, and so is a closure
  insert into engine.throttle as t (name, capacity, per_second, tokens)
  values (p_name, p_capacity, p_per_second, p_capacity)
  on conflict (name) do update
  set
    capacity = excluded.capacity,
    per_second = excluded.per_second,
    tokens = least(excluded.capacity, engine.throttle_level(t, clock_timestamp())),
    refilled_at = clock_timestamp()
  where (t.capacity, t.per_second) is distinct from (excluded.capacity, excluded.per_second);
end;

comment on function engine.throttle_declare(text, double precision, double precision) is
'Makes a bucket of so many tokens at most, refilled at so many a second, or changes it to that';
