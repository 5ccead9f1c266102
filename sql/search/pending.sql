create view search.pending as
select
  d.index,
  u.id,
  d.mark,
  d.leased_until,
  d.marked_at
from search.dirty as d
cross join lateral unnest(d.ids) as u (id);

comment on view search.pending is
'Documents that wait to be sent, one row each and mark: what was changed twice is there twice';
comment on column search.pending.index is 'Name of the index';
comment on column search.pending.id is 'Id of the document';
comment on column search.pending.mark is 'Mark it waits by';
comment on column search.pending.leased_until is 'A sync has it until then';
comment on column search.pending.marked_at is 'When it began to wait';
