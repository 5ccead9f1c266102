"""What documents of creators and placements are made of, and what documents last told of numbers that move.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"

# A document shows the numbers of its last mark, not the latest: it is then a function of its row, and equal to it
# whenever no mark is pending.
TOLD = """
alter table fortnite.island_now add column marked_at timestamptz;
update fortnite.island_now set marked_at = ts, marked_ccu = ccu;
comment on column fortnite.island_now.marked_at is 'Cycle that brought the players its document tells; null: that of ts';
comment on column fortnite.island_now.marked_ccu is 'Players its document tells: those when it was last marked for them';

alter table fortnite.island_performance add column marked_minutes_24h bigint;
update fortnite.island_performance
set marked_24h = avg_24h, marked_7d = avg_7d, marked_30d = avg_30d, marked_minutes_24h = minutes_24h;
comment on column fortnite.island_performance.marked_minutes_24h is
'Minutes of the last 24 hours when its document was last marked for its averages';

create table fortnite.creator_told (
  creator_id integer primary key,
  followers integer,
  islands integer not null,
  ccu bigint not null,
  minutes_24h bigint,
  minutes_7d bigint,
  creator_code text
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
comment on table fortnite.creator_told is
'What the document of a creator tells of fortnite.creator_now: the numbers when they last moved enough';
comment on column fortnite.creator_told.creator_id is 'The creator';
comment on column fortnite.creator_told.followers is 'Followers; null: never read';
comment on column fortnite.creator_told.islands is 'Islands that are not gone';
comment on column fortnite.creator_told.ccu is 'Players on all islands';
comment on column fortnite.creator_told.minutes_24h is 'Minutes played in 24 hours; null: none was sampled';
comment on column fortnite.creator_told.minutes_7d is 'Minutes played in 7 days; null: none was sampled';
comment on column fortnite.creator_told.creator_code is 'Support-a-creator code; null: no island tells one';
"""

CREATOR = """
alter table fortnite.creator_now add column creator_code text;
comment on column fortnite.creator_now.creator_code is
'Support-a-creator code that most of the islands carry, of equals the first in the alphabet; null: none does';
-- All that adding up islands by creator reads of them stays in the index.
drop index fortnite.island_creator;
create index island_creator on fortnite.island (creator_account_id) include (island_id, gone_at, creator_code);
"""

PLACEMENT = """
create index placement_document on fortnite.placement ((panel_id::text || ':' || code));
"""


def upgrade() -> None:
    for block in (TOLD, CREATOR, PLACEMENT):
        op.execute(block)
