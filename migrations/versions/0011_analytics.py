"""What analysts' answers stand on: players of groups of islands by hour, and the ways to look islands up.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"

GROUPS = """
alter table engine.series add column by_function boolean not null default false;
comment on column engine.series.by_function is
'Whether functions roll_NAME and mend_NAME store its buckets on every foundation, in a table that needs no room made';

create table fortnite.ccu_group_hourly (
  ts timestamptz not null,
  ccu_sum bigint not null,
  samples integer not null,
  islands integer not null,
  played integer not null,
  cycles smallint not null,
  kind text collate "C" not null check (kind in ('total', 'epic', 'tag')),
  name text collate "C" not null,
  steps bigint[] not null,
  primary key (ts, kind, name)
) with (fillfactor = 70);
create index on fortnite.ccu_group_hourly (kind, name, ts);
comment on table fortnite.ccu_group_hourly is
'Players of groups of islands by hour that is over: all, those of Epic, those of each tag. A small roll-up of fortnite.ccu';
comment on column fortnite.ccu_group_hourly.ts is 'Start of the hour';
comment on column fortnite.ccu_group_hourly.ccu_sum is 'Sum of the samples; times 10 it is minutes played';
comment on column fortnite.ccu_group_hourly.samples is 'Samples of its islands';
comment on column fortnite.ccu_group_hourly.islands is 'Islands that were sampled';
comment on column fortnite.ccu_group_hourly.played is 'Islands that had players in a sample';
comment on column fortnite.ccu_group_hourly.cycles is 'Cycles of the hour that sampled any island at all, of 6: the same for all groups';
comment on column fortnite.ccu_group_hourly.kind is 'total: all islands; epic: those of Epic; tag: those that had the tag';
comment on column fortnite.ccu_group_hourly.name is 'The tag, empty for islands without one; empty for the other kinds';
comment on column fortnite.ccu_group_hourly.steps is
'Players at each of its six cycles; null: no island of the group was sampled then, or the samples are gone';

create table fortnite.ccu_untold (
  island_id integer primary key
);
comment on table fortnite.ccu_untold is
'Islands that were counted in fortnite.ccu_group_hourly before their details were known: counted again once they are';
comment on column fortnite.ccu_untold.island_id is 'The island';

create table fortnite.creator_late (
  day date primary key
);
comment on table fortnite.creator_late is
'Days whose samples changed after they were added up in fortnite.creator_daily: to be added up again';
comment on column fortnite.creator_late.day is 'UTC day';

insert into engine.series (relation, source, store, bucket, width, by_function) values
('fortnite.ccu_group_hourly', 'fortnite.ccu_hourly', 'fortnite.ccu_group_hourly', '1 hour', '1 day', true);
"""

# What was known of islands at an instant is read from the log backwards, what was published in a week by its date.
LOOKUPS = """
create index island_change_group on fortnite.island_change (changed_at)
where fields && '{creator_account_id,tags}';
create index island_published on fortnite.island (published_at);
"""

# As on the other foundation: rows come in the order of time, so that this finds those of an instant at next to no cost.
PLAIN_LOOKUPS = """
create index on fortnite.ccu_hourly_store using brin (ts) with (autosummarize = on);
create index on fortnite.ccu_daily_store using brin (ts) with (autosummarize = on);
"""


def upgrade() -> None:
    op.execute(GROUPS)
    op.execute(LOOKUPS)
    foundation = (
        op.get_bind()
        .exec_driver_sql(
            "select value ->> 'foundation' from engine.watermark where name = 'timeseries'"
        )
        .scalar_one()
    )
    if foundation == "plain":
        op.execute(PLAIN_LOOKUPS)
