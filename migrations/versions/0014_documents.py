"""What documents of creators and placements are made of, what they last told, and how a restore is noticed.

Revision ID: 0014
Revises: 0009
"""

from alembic import op

revision = "0014"
down_revision = "0009"

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

SYNC = """
create table search.epoch (
  epoch integer not null,
  version bigint not null,
  noted bigint not null
) with (fillfactor = 50);
-- One row: who updates it waits for no other.
create unique index epoch_single on search.epoch ((true));
insert into search.epoch (epoch, version, noted)
select 1, case when v.is_called then v.last_value else 0 end, 0 from search.version as v;
comment on table search.epoch is
'One row, by which a database and an Elasticsearch that do not belong to the same instant know each other';
comment on column search.epoch.epoch is 'Counts up when one of them was found to be restored from a backup';
comment on column search.epoch.version is
'Highest version drawn for a sync; of a restored database the one at the instant of its backup, unlike a sequence';
comment on column search.epoch.noted is 'Highest version Elasticsearch acknowledged to have been told of';

create table search.deleted (
  index text not null,
  id text not null,
  deleted_at timestamptz not null default clock_timestamp(),
  again boolean not null default false,
  primary key (index, id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
create index on search.deleted (index, deleted_at);
comment on table search.deleted is
'Documents deleted lately: each is deleted once more when no request that is older can be on its way';
comment on column search.deleted.index is 'Name of the index';
comment on column search.deleted.id is 'Id of the document';
comment on column search.deleted.deleted_at is 'When Elasticsearch had taken the delete';
comment on column search.deleted.again is 'Whether it is marked to be deleted again';

alter table search.rejected add column physical text not null default '';
comment on column search.rejected.physical is 'Physical index that refused it: another one is asked, too';
"""


def upgrade() -> None:
    for block in (TOLD, CREATOR, PLACEMENT, SYNC):
        op.execute(block)
