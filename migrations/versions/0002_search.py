"""What is to be projected, into which indices, and what was refused.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"

SEARCH = """
create schema search;
comment on schema search is 'Rows on their way to Elasticsearch';

create sequence search.mark;
comment on sequence search.mark is 'Marks: a later change has a higher one';
create sequence search.version;
comment on sequence search.version is 'External versions of documents, drawn before the row is read';

create table search.dirty (
  index text not null,
  id text not null,
  mark bigint not null,
  leased_until timestamptz not null default '-infinity',
  marked_at timestamptz not null default clock_timestamp(),
  primary key (index, id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index dirty_marked_at on search.dirty (index, marked_at);
comment on table search.dirty is 'Documents whose row changed and that are still to be sent, one row each';
comment on column search.dirty.index is 'Name of the index, without prefix or build';
comment on column search.dirty.id is 'Id of the document';
comment on column search.dirty.mark is 'Set afresh by each change; deleted only as it was leased';
comment on column search.dirty.leased_until is 'A sync has it until then';
comment on column search.dirty.marked_at is 'When it began to wait; later marks keep it, so it is both age and place in the queue';

create table search.target (
  index text not null,
  physical text not null,
  state text not null check (state in ('building', 'live', 'retired')),
  content_hash text not null,
  created_at timestamptz not null default now(),
  fill_after text,
  filled_at timestamptz,
  retired_at timestamptz,
  primary key (index, physical)
);
create unique index target_live on search.target (index) where state = 'live';
comment on table search.target is 'Physical indices a document goes to';
comment on column search.target.index is 'Name of the index';
comment on column search.target.physical is 'Name of the physical index in Elasticsearch';
comment on column search.target.state is 'building, live or retired';
comment on column search.target.content_hash is
  'Hash of mapping, settings and view it was built for; stale: has to be built again';
comment on column search.target.created_at is 'When it was registered';
comment on column search.target.fill_after is
  'Documents up to this id are marked for it, the others still have to be; null: all are';
comment on column search.target.filled_at is 'When the last document was marked for it';
comment on column search.target.retired_at is 'When another one took its place';

create table search.rejected (
  index text not null,
  id text not null,
  mark bigint not null,
  reason text not null,
  rejected_at timestamptz not null default now(),
  primary key (index, id)
);
comment on table search.rejected is 'Documents Elasticsearch refused for what they are';
comment on column search.rejected.index is 'Name of the index';
comment on column search.rejected.id is 'Id of the document';
comment on column search.rejected.mark is 'Mark that was leased';
comment on column search.rejected.reason is 'What Elasticsearch said';
comment on column search.rejected.rejected_at is 'When';
"""


def upgrade() -> None:
    op.execute(SEARCH)
