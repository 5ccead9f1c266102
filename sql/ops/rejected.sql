create view ops.rejected as
select
  r.resource,
  r.key,
  r.fetched_at,
  r.rejected_at,
  r.reason,
  length(r.body) as size_bytes,
  r.replayed_at
from raw.rejected as r;

comment on view ops.rejected is 'Items that could not be landed and were set aside; their bytes are in raw.rejected';
comment on column ops.rejected.resource is 'Name of the resource';
comment on column ops.rejected.key is 'Key of the entity; null: none could be read';
comment on column ops.rejected.fetched_at is 'When it was fetched or said to have happened';
comment on column ops.rejected.rejected_at is 'When it was set aside; ETL_REJECTED_RETENTION_DAYS later it is deleted';
comment on column ops.rejected.reason is 'Why it was set aside';
comment on column ops.rejected.size_bytes is 'Bytes kept of it; null: none';
comment on column ops.rejected.replayed_at is 'When it was landed after all or a newer body was; null: it waits';
