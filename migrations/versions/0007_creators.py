"""Creators, what changed on them, who follows them, and what their islands add up to.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"

CREATOR = """
create table fortnite.creator (
  creator_id integer generated always as identity primary key,
  met_island_id integer,
  account_id text collate "C" not null unique,
  source text not null,
  first_seen_at timestamptz not null,
  bulk_at timestamptz,
  bulk_gone_at timestamptz,
  page_at timestamptz,
  page_gone_at timestamptz,
  -- Each route says it for itself; gone is who none of those that once described it knows any more.
  gone_at timestamptz generated always as (
    case
      when (bulk_gone_at is not null or bulk_at is null) and (page_gone_at is not null or page_at is null)
        then coalesce(
          greatest(
            case when bulk_at is not null then bulk_gone_at end, case when page_at is not null then page_gone_at end
          ),
          least(bulk_gone_at, page_gone_at)
        )
    end
  ) stored,
  display_name text,
  bio text,
  avatar_url text,
  banner_url text,
  surface_name text,
  discord text,
  instagram text,
  tiktok text,
  twitch text,
  twitter text,
  youtube text
);
create index on fortnite.creator (bulk_gone_at) where bulk_gone_at is not null and page_gone_at is null;
comment on table fortnite.creator is 'Who publishes islands, as their player page shows them';
comment on column fortnite.creator.creator_id is 'Our key';
comment on column fortnite.creator.met_island_id is 'Island the creator was met through; null: by a page alone';
comment on column fortnite.creator.account_id is 'Account, as in fortnite.island.creator_account_id';
comment on column fortnite.creator.source is 'Where that island was first met; the resource where there was none';
comment on column fortnite.creator.first_seen_at is 'When the creator was first met';
comment on column fortnite.creator.bulk_at is 'When the bulk route of the pops service first described the creator; null: not yet';
comment on column fortnite.creator.bulk_gone_at is 'Since when it leaves the creator out; null: it does not';
comment on column fortnite.creator.page_at is 'When the player page was first read; null: not yet';
comment on column fortnite.creator.page_gone_at is 'Since when the page answers 404; null: it does not';
comment on column fortnite.creator.gone_at is 'Since when no route that described the creator does so any more; null: one does';
comment on column fortnite.creator.display_name is 'Name the creator shows';
comment on column fortnite.creator.bio is 'What the creator says of themselves';
comment on column fortnite.creator.avatar_url is 'Avatar of their own; null: none, Epic shows a default';
comment on column fortnite.creator.banner_url is 'Banner of their own; null: none, Epic shows a default';
comment on column fortnite.creator.surface_name is 'Discovery surface of the page';
comment on column fortnite.creator.discord is 'Handle or invite on Discord';
comment on column fortnite.creator.instagram is 'Handle on Instagram';
comment on column fortnite.creator.tiktok is 'Handle on TikTok';
comment on column fortnite.creator.twitch is 'Handle on Twitch';
comment on column fortnite.creator.twitter is 'Handle on Twitter (X)';
comment on column fortnite.creator.youtube is 'Handle on YouTube; channel/ID where it is no handle';

create table fortnite.creator_change (
  change_id bigint generated always as identity primary key,
  creator_id integer not null,
  islands integer,
  followers integer,
  ccu real,
  minutes_played bigint,
  changed_at timestamptz not null,
  resource text not null,
  fields text[] not null,
  old jsonb not null,
  new jsonb not null
);
create index on fortnite.creator_change (creator_id, changed_at);
create index on fortnite.creator_change (changed_at);
comment on table fortnite.creator_change is 'What changed on a creator between two fetches, and what that day came to';
comment on column fortnite.creator_change.change_id is 'Identity';
comment on column fortnite.creator_change.creator_id is 'The creator';
comment on column fortnite.creator_change.islands is 'Islands at the end of that UTC day; null until the day is over';
comment on column fortnite.creator_change.followers is 'Followers as last read by then; null until the day is over, or never read';
comment on column fortnite.creator_change.ccu is 'Players on average that day, all islands together; null until the day is over';
comment on column fortnite.creator_change.minutes_played is 'Minutes played that day on all islands; null until the day is over';
comment on column fortnite.creator_change.changed_at is 'Fetch that showed the change';
comment on column fortnite.creator_change.resource is 'Resource that showed it';
comment on column fortnite.creator_change.fields is 'Columns that changed, in alphabetical order';
comment on column fortnite.creator_change.old is 'Their values before';
comment on column fortnite.creator_change.new is 'Their values after';

create table fortnite.creator_follower (
  ts timestamptz not null,
  creator_id integer not null,
  followers integer not null check (followers >= 0),
  primary key (creator_id, ts)
);
comment on table fortnite.creator_follower is
'Followers of a creator: a row when the number changed, and the first reading of each UTC day';
comment on column fortnite.creator_follower.ts is 'When it was read';
comment on column fortnite.creator_follower.creator_id is 'The creator';
comment on column fortnite.creator_follower.followers is 'Followers of the player page';
"""

TOTALS = """
create table fortnite.creator_now (
  creator_id integer primary key,
  followers integer,
  followers_at timestamptz,
  computed_at timestamptz,
  islands integer,
  played integer,
  ccu bigint,
  minutes_24h bigint,
  minutes_7d bigint,
  minutes_30d bigint
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
comment on table fortnite.creator_now is 'What the islands of a creator add up to, and who follows them';
comment on column fortnite.creator_now.creator_id is 'The creator';
comment on column fortnite.creator_now.followers is 'Followers as last read; null: never';
comment on column fortnite.creator_now.followers_at is 'Reading that brought this number, or the first one of its day that brought it again';
comment on column fortnite.creator_now.computed_at is 'When the totals became what they are; null: never added up';
comment on column fortnite.creator_now.islands is 'Islands that are not gone';
comment on column fortnite.creator_now.played is 'Of these with players in their latest sample';
comment on column fortnite.creator_now.ccu is 'Players in the latest samples of all islands';
comment on column fortnite.creator_now.minutes_24h is 'Minutes played on all islands in the last 24 hours; null: none was sampled';
comment on column fortnite.creator_now.minutes_7d is 'Minutes played on all islands in the last 7 days; null: none was sampled';
comment on column fortnite.creator_now.minutes_30d is 'Minutes played on all islands in the last 30 days; null: none was sampled';

create table fortnite.creator_daily (
  day date not null,
  creator_id integer not null,
  islands integer not null,
  played integer not null,
  followers integer,
  ccu real not null,
  minutes_played bigint not null,
  primary key (creator_id, day)
);
create index on fortnite.creator_daily (day);
comment on table fortnite.creator_daily is
'Totals of a UTC day that is over, of creators whose islands were played or who changed that day';
comment on column fortnite.creator_daily.day is 'UTC day';
comment on column fortnite.creator_daily.creator_id is 'The creator';
comment on column fortnite.creator_daily.islands is 'Islands known by the end of the day and not gone by then, whoever had them that day';
comment on column fortnite.creator_daily.played is 'Islands with players in a sample of that day';
comment on column fortnite.creator_daily.followers is 'Followers as last read by the end of the day; null: never read';
comment on column fortnite.creator_daily.ccu is
'Players on average over the day, all islands together: minutes played over 1,440; time without samples counts as none';
comment on column fortnite.creator_daily.minutes_played is 'Sum of players of the samples times ten minutes';

create table fortnite.island_owner_change (
  change_id bigint generated always as identity primary key,
  island_id integer not null,
  changed_at timestamptz not null,
  old_account_id text not null,
  new_account_id text not null
);
create index on fortnite.island_owner_change (island_id, change_id desc);
comment on table fortnite.island_owner_change is
'Islands that a creator page listed under another account than their details named; the details are then fetched anew';
comment on column fortnite.island_owner_change.change_id is 'Identity';
comment on column fortnite.island_owner_change.island_id is 'The island';
comment on column fortnite.island_owner_change.changed_at is 'CCU cycle whose creator page showed it';
comment on column fortnite.island_owner_change.old_account_id is 'Owner by the details of the island';
comment on column fortnite.island_owner_change.new_account_id is 'Creator whose page lists it';

-- All that adding up islands by creator reads of them is in the index.
drop index fortnite.island_creator_account_id_idx;
create index island_creator on fortnite.island (creator_account_id) include (island_id, gone_at);
"""

THROTTLE = """
alter table engine.throttle
  add column hour timestamptz,
  add column taken double precision not null default 0,
  add column taken_before double precision not null default 0;
comment on column engine.throttle.hour is 'Hour of the last taking; null: none yet';
comment on column engine.throttle.taken is 'Tokens taken in that hour';
comment on column engine.throttle.taken_before is 'Tokens taken in the hour before it';
"""


def upgrade() -> None:
    for block in (CREATOR, TOTALS, THROTTLE):
        op.execute(block)
