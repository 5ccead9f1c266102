create view fortnite.ccu_record as
select
  n.island_id,
  n.record_ccu as ccu,
  n.recorded_at,
  n.since
from fortnite.island_now as n;

comment on view fortnite.ccu_record is 'Highest CCU we sampled, and since when we sample';
comment on column fortnite.ccu_record.island_id is 'The island';
comment on column fortnite.ccu_record.ccu is 'Players at the record';
comment on column fortnite.ccu_record.recorded_at is 'First cycle that reached it';
comment on column fortnite.ccu_record.since is 'First cycle that sampled the island at all';
