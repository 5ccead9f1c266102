create view analytics.creator_ccu_hour as
select
  h.ts,
  i.creator_account_id as account_id,
  (sum(h.ccu_sum) / nullif(t.cycles, 0)::double precision)::real as avg_ccu,
  (sum(h.ccu_sum) * 10)::bigint as minutes_played,
  count(*)::integer as islands,
  count(*) filter (where h.ccu_sum > 0)::integer as played,
  t.cycles::integer as observed,
  6 as expected
from fortnite.island as i
inner join fortnite.ccu_hourly_store as h on i.island_id = h.island_id
inner join fortnite.ccu_group_hourly as t on h.ts = t.ts and t.kind = 'total' and t.name = ''
where i.creator_account_id is not null
group by h.ts, i.creator_account_id, t.cycles;

comment on view analytics.creator_ccu_hour is
'Players of the islands of a creator by hour that is stored; ask by account. An hour without a sample of them has '
'no row';
comment on column analytics.creator_ccu_hour.ts is 'Start of the hour (UTC)';
comment on column analytics.creator_ccu_hour.account_id is 'Account that has the islands now';
comment on column analytics.creator_ccu_hour.avg_ccu is
'Players on average over the observed cycles, all islands together';
comment on column analytics.creator_ccu_hour.minutes_played is 'Sum of the samples times ten minutes';
comment on column analytics.creator_ccu_hour.islands is 'Islands that were sampled';
comment on column analytics.creator_ccu_hour.played is 'Islands that had players';
comment on column analytics.creator_ccu_hour.observed is 'Cycles that sampled any island at all';
comment on column analytics.creator_ccu_hour.expected is 'Cycles there should be';
