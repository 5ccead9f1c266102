create view analytics.creator_ccu_ten_minutes as
select
  c.ts,
  i.creator_account_id as account_id,
  sum(c.ccu)::bigint as ccu,
  count(*)::integer as islands
from fortnite.ccu as c
inner join fortnite.island as i on c.island_id = i.island_id
where i.creator_account_id is not null
group by c.ts, i.creator_account_id;

comment on view analytics.creator_ccu_ten_minutes is
'Players of the islands of creators by cycle. Ask for a few instants; for one creator over time ask '
'analytics.creator_ccu, which shows gaps too';
comment on column analytics.creator_ccu_ten_minutes.ts is 'Start of the cycle (UTC)';
comment on column analytics.creator_ccu_ten_minutes.account_id is 'Account that has the islands now';
comment on column analytics.creator_ccu_ten_minutes.ccu is 'Players in their samples';
comment on column analytics.creator_ccu_ten_minutes.islands is 'Islands that were sampled';
