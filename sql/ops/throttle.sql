-- requires: engine.throttle_level
create view ops.throttle as
select
  t.name,
  t.capacity,
  t.per_second,
  greatest(0, engine.throttle_level(t, clock_timestamp())) as tokens,
  greatest(0, -engine.throttle_level(t, clock_timestamp())) as promised,
  case t.hour
    when date_trunc('hour', clock_timestamp(), 'UTC') then t.taken_before
    when date_trunc('hour', clock_timestamp(), 'UTC') - interval '1 hour' then t.taken
    else 0
  end / (t.per_second * 3600) as used,
  t.closed_until > clock_timestamp() as closed,
  nullif(t.closed_until, '-infinity') as closed_until,
  t.closed_reason
from engine.throttle as t;

comment on view ops.throttle is 'How fast upstreams may be asked, and which are closed right now';
comment on column ops.throttle.name is 'Name of the bucket, pipeline.service';
comment on column ops.throttle.capacity is 'Requests that may follow each other without a pause';
comment on column ops.throttle.per_second is 'Requests a second, all workers together';
comment on column ops.throttle.tokens is 'Requests that may be sent at once';
comment on column ops.throttle.promised is 'Requests that workers wait to send';
comment on column ops.throttle.used is 'Part of what the rate allowed in the last full hour that was taken, 0 to 1';
comment on column ops.throttle.closed is 'Whether the upstream asked us to keep away';
comment on column ops.throttle.closed_until is 'Until when it does, or last did; null: never yet';
comment on column ops.throttle.closed_reason is 'What it said then';
