"""CCU, its cycles, records and performance, on either time-series foundation.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"

NOW = """
create table fortnite.ccu_cycle (
  ts timestamptz not null,
  source text not null,
  expected integer not null,
  observed integer not null,
  negative integer not null,
  complete boolean not null,
  finished_at timestamptz,
  primary key (ts, source)
);
comment on table fortnite.ccu_cycle is 'What each CCU cycle expected and saw';
comment on column fortnite.ccu_cycle.ts is 'Start of the cycle, cut to 10 minutes';
comment on column fortnite.ccu_cycle.source is 'Listing it came from: entries or creator_page';
comment on column fortnite.ccu_cycle.expected is 'Islands asked for';
comment on column fortnite.ccu_cycle.observed is 'Islands that gave a sample';
comment on column fortnite.ccu_cycle.negative is 'Values below zero: no sample';
comment on column fortnite.ccu_cycle.complete is 'Whether an island that is absent is known to be at zero';
comment on column fortnite.ccu_cycle.finished_at is 'When it ended; null while it runs or died';

create table fortnite.island_now (
  island_id integer primary key,
  ts timestamptz not null,
  ccu integer not null,
  marked_ccu integer not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
comment on table fortnite.island_now is 'Latest CCU of an island';
comment on column fortnite.island_now.island_id is 'The island';
comment on column fortnite.island_now.ts is 'Cycle of the latest sample';
comment on column fortnite.island_now.ccu is 'Players then';
comment on column fortnite.island_now.marked_ccu is 'Players when its document was last marked for it';

create table fortnite.ccu_record (
  island_id integer primary key,
  ccu integer not null,
  recorded_at timestamptz not null,
  since timestamptz not null
) with (fillfactor = 50);
comment on table fortnite.ccu_record is 'Highest CCU we sampled, and since when we sample';
comment on column fortnite.ccu_record.island_id is 'The island';
comment on column fortnite.ccu_record.ccu is 'Players at the record';
comment on column fortnite.ccu_record.recorded_at is 'First cycle that reached it';
comment on column fortnite.ccu_record.since is 'First cycle that sampled the island at all';

create table fortnite.island_performance (
  island_id integer primary key,
  computed_at timestamptz not null,
  avg_24h real, peak_24h integer, minutes_24h bigint, coverage_24h real,
  avg_7d real, peak_7d integer, minutes_7d bigint, coverage_7d real,
  avg_30d real, peak_30d integer, minutes_30d bigint, coverage_30d real
) with (fillfactor = 50);
"""


def upgrade() -> None:
    op.execute(NOW)
