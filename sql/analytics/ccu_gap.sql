-- requires: fortnite.ccu_total
create view analytics.ccu_gap as
select
  t.ts + interval '10 minutes' as since,
  t.next as until,
  (extract(epoch from t.next - t.ts)::integer / 600) - 1 as cycles
from (
  select
    c.ts,
    lead(c.ts) over (order by c.ts) as next
  from fortnite.ccu_total as c
) as t
where t.next > t.ts + interval '10 minutes';

comment on view analytics.ccu_gap is
'Times without any sample of players, between two cycles that have some. What is missing after the newest one: '
'see analytics.source_freshness. Hours whose samples are gone count as gaps';
comment on column analytics.ccu_gap.since is 'First cycle that is missing';
comment on column analytics.ccu_gap.until is 'First cycle that is there again';
comment on column analytics.ccu_gap.cycles is 'How many are missing';
