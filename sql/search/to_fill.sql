create view search.to_fill as
select
  t.index,
  t.physical,
  t.state
from search.target as t
where t.state <> 'retired' and t.filled_at is null and not t.catch_up;

comment on view search.to_fill is
'Physical indices that are sent every document of their view, slice by slice, before marks are what they lack';
comment on column search.to_fill.index is 'Name of the index';
comment on column search.to_fill.physical is 'The physical index';
comment on column search.to_fill.state is 'live: searched already; building: to take its place';
