create view analytics.ccu_cycle as
select
  c.ts,
  c.source,
  c.expected,
  c.observed,
  c.negative,
  c.complete,
  c.finished_at
from fortnite.ccu_cycle as c;

comment on view analytics.ccu_cycle is 'What each CCU cycle asked for and saw';
comment on column analytics.ccu_cycle.ts is 'Start of the cycle, cut to ten minutes (UTC)';
comment on column analytics.ccu_cycle.source is 'Listing it came from: entries or creator_page';
comment on column analytics.ccu_cycle.expected is 'Islands asked for';
comment on column analytics.ccu_cycle.observed is 'Islands that gave a sample; 0 until it is finished';
comment on column analytics.ccu_cycle.negative is 'Values below zero or absent: no sample';
comment on column analytics.ccu_cycle.complete is 'Whether everything that was to be asked was answered';
comment on column analytics.ccu_cycle.finished_at is 'When it ended; null while it runs';
