"""Files of history that were landed, and how far each is.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"

BACKFILL = """
create table engine.backfill (
  backfill_id bigint generated always as identity primary key,
  series text not null references engine.series,
  digest bytea not null,
  size_bytes bigint not null,
  name text not null,
  position bigint not null default 0,
  lines bigint not null default 0,
  stored bigint not null default 0,
  skipped bigint not null default 0,
  rejected bigint not null default 0,
  discovered bigint not null default 0,
  started_at timestamptz not null default now(),
  moved_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (series, digest, size_bytes)
);
comment on table engine.backfill is 'Files of history that were landed or are being landed, known by their content';
comment on column engine.backfill.backfill_id is 'Identity';
comment on column engine.backfill.series is 'Level of a series its rows went to';
comment on column engine.backfill.digest is 'BLAKE2b-128 of the file';
comment on column engine.backfill.size_bytes is 'Its size';
comment on column engine.backfill.name is 'Its name when it was last given';
comment on column engine.backfill.position is 'How far it is landed: bytes of a text, rows of a Parquet file';
comment on column engine.backfill.lines is 'Lines or rows that is, the header among them where there is one';
comment on column engine.backfill.stored is 'Samples landed';
comment on column engine.backfill.skipped is 'Lines that say of themselves that they are no sample, and those that were to be left out';
comment on column engine.backfill.rejected is 'Lines set aside in raw.rejected, each with its number and reason';
comment on column engine.backfill.discovered is 'Entities met for the first time';
comment on column engine.backfill.started_at is 'When it was first begun';
comment on column engine.backfill.moved_at is 'When position last moved';
comment on column engine.backfill.finished_at is 'When its end was landed; null: not yet';
"""


def upgrade() -> None:
    op.execute(BACKFILL)
