-- requires: fortnite.ccu_known
create view fortnite.ccu_total as
select
  h.ts + (n.nth - 1) * interval '10 minutes' as ts,
  h.steps[n.nth] as ccu
from fortnite.ccu_group_hourly as h
cross join generate_series(1, 6) as n (nth)
where h.kind = 'total' and h.steps[n.nth] is not null
union all
select
  c.ts,
  sum(c.ccu)
from fortnite.ccu as c
where c.ts >= (select k.groups_until from fortnite.ccu_known as k)
group by c.ts;

comment on view fortnite.ccu_total is
'Players of all islands together at each cycle that sampled any, those of hours still open included';
comment on column fortnite.ccu_total.ts is 'Start of the cycle';
comment on column fortnite.ccu_total.ccu is 'Players in the samples of the cycle';
