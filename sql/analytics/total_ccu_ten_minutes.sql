-- requires: fortnite.ccu_known, fortnite.ccu_total
create view analytics.total_ccu_ten_minutes as
select
  g.ts,
  t.ccu,
  c.expected,
  c.observed,
  c.complete
from (
  select generate_series(
    (select min(h.ts) from fortnite.ccu_group_hourly as h), nullif(k.newest, '-infinity'), interval '10 minutes'
  ) as ts
  from fortnite.ccu_known as k
) as g
left join fortnite.ccu_total as t on g.ts = t.ts
left join lateral (
  select
    sum(e.expected) as expected,
    sum(e.observed) as observed,
    bool_and(e.complete) as complete
  from fortnite.ccu_cycle as e
  where e.ts = g.ts
) as c on true;

comment on view analytics.total_ccu_ten_minutes is
'Players of all islands together, a row for each ten minutes from the first stored hour to the newest cycle. A '
'gap is a row whose ccu is null';
comment on column analytics.total_ccu_ten_minutes.ts is 'Start of the ten minutes (UTC)';
comment on column analytics.total_ccu_ten_minutes.ccu is
'Players in the samples of the cycle; null: nobody sampled, or the samples of that hour are gone';
comment on column analytics.total_ccu_ten_minutes.expected is
'Islands that were asked for; null: no cycle ran, or it was not noted';
comment on column analytics.total_ccu_ten_minutes.observed is 'Islands that answered; 0 until the cycle has ended';
comment on column analytics.total_ccu_ten_minutes.complete is
'Whether everything that was to be asked was answered; null: no cycle ran';
