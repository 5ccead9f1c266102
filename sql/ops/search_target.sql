create view ops.search_target as
select
  t.index,
  t.physical,
  t.state,
  t.filled,
  t.filled_at,
  t.catch_up,
  t.created_at,
  t.live_at,
  t.retired_at,
  s.slices
from search.target as t
cross join lateral (
  select count(*) as slices
  from search.slice as l
  where l.index = t.index and l.physical = t.physical
) as s
order by t.index, t.created_at;

comment on view ops.search_target is
'Physical indices: the one that is searched, the one being built beside it, those that were replaced';
comment on column ops.search_target.index is 'Name of the index';
comment on column ops.search_target.physical is 'Name of the physical index in Elasticsearch';
comment on column ops.search_target.state is
'live, building, or retired: kept to roll back to, or about to be deleted';
comment on column ops.search_target.filled is 'Documents its filling has brought so far';
comment on column ops.search_target.filled_at is 'When it had all; null: it is being filled';
comment on column ops.search_target.catch_up is
'Whether it is to be compared with the view before it may take its place';
comment on column ops.search_target.created_at is 'When it was begun';
comment on column ops.search_target.live_at is 'When it was last made the live one';
comment on column ops.search_target.retired_at is 'When another one took its place';
comment on column ops.search_target.slices is
'Parts of its filling that somebody has in hand, or that a dead worker left';
