"""Indices are filled in slices, kept for a rollback, and compared with the database.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"

TARGET = """
alter table search.target
  add column live_at timestamptz,
  add column filled bigint not null default 0,
  add column catch_up boolean not null default false;
update search.target set live_at = created_at where state = 'live';
comment on column search.target.fill_after is
  'Documents up to this id were cut into slices for it, the others still have to be; null: all are';
comment on column search.target.filled_at is 'When it had been sent every document; null: not yet';
comment on column search.target.live_at is 'When it was last made the live one; null: it never was';
comment on column search.target.filled is 'Documents its slices have brought so far';
comment on column search.target.catch_up is
  'It may hold documents that are old or wrong: what differs from the view is sent before it may take a place';
"""

SLICE = """
create table search.slice (
  slice bigint generated always as identity primary key,
  index text not null,
  physical text not null,
  after text not null,
  upto text not null,
  leased_until timestamptz not null,
  foreign key (index, physical) references search.target on delete cascade
);
create index on search.slice (index, physical);
comment on table search.slice is
  'Ranges of documents on their way into a physical index that is being filled; deleted once it has them';
comment on column search.slice.slice is 'Never used twice: whoever comes late ends no later slice';
comment on column search.slice.index is 'Name of the index';
comment on column search.slice.physical is 'Physical index that is filled';
comment on column search.slice.after is 'Id the range begins after';
comment on column search.slice.upto is 'Last id of the range';
comment on column search.slice.leased_until is 'Somebody sends it until then; later it is free again';
"""

DRIFT = """
create table search.drift (
  index text primary key,
  physical text not null,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  thorough boolean not null,
  repaired boolean not null,
  documents bigint not null,
  missing bigint not null,
  extra bigint not null,
  different bigint not null,
  examples text[] not null
);
comment on table search.drift is 'What the last comparison of each index with its view found';
comment on column search.drift.index is 'Name of the index';
comment on column search.drift.physical is 'Physical index that was compared';
comment on column search.drift.started_at is 'When the comparison began';
comment on column search.drift.finished_at is 'When it ended';
comment on column search.drift.thorough is 'Whether bodies were read, too, not digests alone';
comment on column search.drift.repaired is 'Whether what drifted was marked to be sent';
comment on column search.drift.documents is 'Rows of the view';
comment on column search.drift.missing is 'Documents that Elasticsearch lacked';
comment on column search.drift.extra is 'Documents that Elasticsearch had and the view does not';
comment on column search.drift.different is 'Documents that were not as the view has them';
comment on column search.drift.examples is 'Ids of some of them';
"""


def upgrade() -> None:
    op.execute(TARGET)
    op.execute(SLICE)
    op.execute(DRIFT)
