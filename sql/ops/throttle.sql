-- requires: engine.throttle_level
create view ops.throttle as
select
  t.name,
  t.capacity,
  t.per_second,
  greatest(0, engine.throttle_level(t, clock_timestamp())) as tokens,
  greatest(0, -engine.throttle_level(t, clock_timestamp())) as promised,
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
comment on column ops.throttle.closed is 'Whether the upstream asked us to keep away';
comment on column ops.throttle.closed_until is 'Until when it does, or last did; null: never yet';
comment on column ops.throttle.closed_reason is 'What it said then';
