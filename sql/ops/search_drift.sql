create view ops.search_drift as
select
  d.index,
  d.missing + d.extra + d.different as drifted,
  d.missing,
  d.extra,
  d.different,
  d.documents,
  d.repaired,
  d.thorough,
  d.started_at,
  d.finished_at,
  d.physical,
  d.examples
from search.drift as d
order by d.index;

comment on view ops.search_drift is
'What the last comparison of each index with the database found: search.reconcile does one a day';
comment on column ops.search_drift.index is 'Name of the index';
comment on column ops.search_drift.drifted is
'Documents that were not as the database has them; what was pending or refused is not counted';
comment on column ops.search_drift.missing is 'Of those: Elasticsearch lacked them';
comment on column ops.search_drift.extra is 'Of those: the database does not have them';
comment on column ops.search_drift.different is 'Of those: they had other content';
comment on column ops.search_drift.documents is 'Documents there should have been';
comment on column ops.search_drift.repaired is 'Whether what drifted was marked to be sent again';
comment on column ops.search_drift.thorough is 'Whether bodies were read, too, not digests alone';
comment on column ops.search_drift.started_at is 'When the comparison began';
comment on column ops.search_drift.finished_at is 'When it ended';
comment on column ops.search_drift.physical is 'Physical index that was compared';
comment on column ops.search_drift.examples is 'Ids of some documents that drifted';
