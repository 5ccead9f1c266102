create view ops.search_lag as
select
  i.index,
  waiting.pending,
  waiting.leased,
  waiting.oldest_at,
  coalesce(extract(epoch from clock_timestamp() - waiting.oldest_at), 0)::double precision as lag_s,
  refused.rejected,
  built.live,
  built.building,
  built.to_fill
from (
  select a.index from search.target as a
  union
  select b.index from search.dirty as b
  union
  select c.index from search.rejected as c
) as i
cross join lateral (
  select
    coalesce(sum(d.documents), 0) as pending,
    coalesce(sum(d.documents) filter (where d.leased_until > clock_timestamp()), 0) as leased,
    min(d.marked_at) as oldest_at
  from search.dirty as d
  where d.index = i.index
) as waiting
cross join lateral (
  select count(*) as rejected
  from search.rejected as r
  where r.index = i.index
) as refused
cross join lateral (
  select
    min(t.physical) filter (where t.state = 'live') as live,
    min(t.physical) filter (where t.state = 'building') as building,
    coalesce(bool_or(t.filled_at is null and t.state <> 'retired'), false) as to_fill
  from search.target as t
  where t.index = i.index
) as built
order by i.index;

comment on view ops.search_lag is
'How far Elasticsearch is behind the database, one row an index';
comment on column ops.search_lag.index is 'Name of the index';
comment on column ops.search_lag.pending is
'Documents marked and not sent yet; one that was changed twice counts twice';
comment on column ops.search_lag.leased is 'Of those, how many a sync holds now';
comment on column ops.search_lag.oldest_at is 'Since when the longest waiting document waits; null: none does';
comment on column ops.search_lag.lag_s is 'The same as seconds until now; 0 when nothing waits';
comment on column ops.search_lag.rejected is 'Documents Elasticsearch refused for what they are';
comment on column ops.search_lag.live is 'Physical index that is searched';
comment on column ops.search_lag.building is
'Physical index that is being built to take its place';
comment on column ops.search_lag.to_fill is 'Whether one of them is still being filled, or has to be compared first';
