create view fortnite.ccu_known as
select
  max(s.newest) filter (where s.relation = 'fortnite.ccu') as newest,
  max(s.refreshed_until) filter (where s.relation = 'fortnite.ccu_hourly') as hours_until,
  max(s.refreshed_until) filter (where s.relation = 'fortnite.ccu_daily') as days_until,
  max(s.refreshed_until) filter (where s.relation = 'fortnite.ccu_group_hourly') as groups_until
from engine.series as s;

comment on view fortnite.ccu_known is
'How far CCU is known: its newest cycle, and up to where each roll-up is stored. One row';
comment on column fortnite.ccu_known.newest is 'Latest cycle that has samples; -infinity: none yet';
comment on column fortnite.ccu_known.hours_until is 'Hours of islands before it are stored';
comment on column fortnite.ccu_known.days_until is 'Days of islands before it are stored';
comment on column fortnite.ccu_known.groups_until is 'Hours of groups of islands before it are stored';
