"""Islands, what changed on them, and what is known of them now.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"

ISLAND = """
create schema fortnite;
comment on schema fortnite is 'Fortnite islands, their creators and players';

create table fortnite.island (
  island_id integer generated always as identity primary key,
  code text collate "C" not null,
  source text not null,
  first_seen_at timestamptz not null,
  listed_at timestamptz,
  detailed_at timestamptz,
  gone_at timestamptz,
  kind text,
  title text,
  tagline text,
  description text,
  locale text,
  creator_account_id text,
  creator_name text,
  creator_code text,
  tags text[],
  category text,
  category_labels text[],
  genre_labels text[],
  created_in text,
  display_name text,
  image_url text,
  image_urls jsonb,
  square_image_url text,
  lobby_image_url text,
  created_at timestamptz,
  published_at timestamptz,
  updated_at timestamptz,
  activated_at timestamptz,
  public_at timestamptz,
  version integer,
  min_players integer,
  max_players integer,
  max_team_size integer,
  max_team_count integer,
  max_party_size integer,
  join_in_progress boolean,
  squad_fill boolean,
  skill_based boolean,
  queue_privacy text,
  xp_enabled boolean,
  xp_phase text,
  link_state text,
  moderation_status text,
  discovery_intent text,
  active boolean,
  disabled boolean,
  project_id text,
  -- A cycle asks for half a million numbers by code: their wide rows are not read for it.
  constraint island_code_key unique (code) include (island_id)
) with (fillfactor = 50);
create index on fortnite.island (creator_account_id);

create table fortnite.island_change (
  change_id bigint generated always as identity primary key,
  island_id integer not null,
  changed_at timestamptz not null,
  resource text not null,
  version integer,
  activated_at timestamptz,
  fields text[] not null,
  old jsonb not null,
  new jsonb not null
);
create index on fortnite.island_change (island_id, changed_at);
comment on table fortnite.island is 'An island or another link code that players can enter';
comment on column fortnite.island.island_id is 'Our key, short for time series';
comment on column fortnite.island.code is 'Link code, twelve digits for an island';
comment on column fortnite.island.source is 'Where it was first met: catalogue, entries, creator_page, details';
comment on column fortnite.island.first_seen_at is 'When it was first met';
comment on column fortnite.island.listed_at is 'When the public catalogue first listed it; null: never';
comment on column fortnite.island.detailed_at is 'When its details were first fetched; null: not yet';
comment on column fortnite.island.gone_at is 'Since when the Links service does not know it; null: it does';
comment on column fortnite.island.kind is 'linkType of the Links service';
comment on column fortnite.island.title is 'Title';
comment on column fortnite.island.tagline is 'Short text under the title';
comment on column fortnite.island.description is 'Introduction';
comment on column fortnite.island.locale is 'Language the creator wrote in';
comment on column fortnite.island.creator_account_id is 'Account of the creator';
comment on column fortnite.island.creator_name is 'Display name of the creator';
comment on column fortnite.island.creator_code is 'Support-a-creator code';
comment on column fortnite.island.tags is 'Tags the creator chose, in order';
comment on column fortnite.island.category is 'Brand or link category';
comment on column fortnite.island.category_labels is 'Category labels of the Links service';
comment on column fortnite.island.genre_labels is 'Genre labels of the Links service';
comment on column fortnite.island.created_in is 'UEFN or FNC; null where upstream does not say';
comment on column fortnite.island.display_name is 'Friendly name of an Epic mode in the Data API';
comment on column fortnite.island.image_url is 'Main image';
comment on column fortnite.island.image_urls is 'Images by size';
comment on column fortnite.island.square_image_url is 'Square image';
comment on column fortnite.island.lobby_image_url is 'Lobby background';
comment on column fortnite.island.created_at is 'created of the Links service: when this version was made';
comment on column fortnite.island.published_at is 'First publication';
comment on column fortnite.island.updated_at is 'Last update upstream';
comment on column fortnite.island.activated_at is 'Last activation of a version';
comment on column fortnite.island.public_at is 'Day it became public';
comment on column fortnite.island.version is 'Version of the link';
comment on column fortnite.island.min_players is 'Fewest players of a match';
comment on column fortnite.island.max_players is 'Most players of a match';
comment on column fortnite.island.max_team_size is 'Most players of a team';
comment on column fortnite.island.max_team_count is 'Most teams';
comment on column fortnite.island.max_party_size is 'Largest party that can join';
comment on column fortnite.island.join_in_progress is 'Whether a running match can be joined';
comment on column fortnite.island.squad_fill is 'Whether squads are filled with strangers';
comment on column fortnite.island.skill_based is 'Whether matchmaking weighs skill';
comment on column fortnite.island.queue_privacy is 'Who may queue';
comment on column fortnite.island.xp_enabled is 'Whether playing it gives experience points';
comment on column fortnite.island.xp_phase is 'Calibration phase of those points';
comment on column fortnite.island.link_state is 'State of the link, such as LIVE';
comment on column fortnite.island.moderation_status is 'Verdict of moderation';
comment on column fortnite.island.discovery_intent is 'PUBLIC or PRIVATE';
comment on column fortnite.island.active is 'Whether the link is active';
comment on column fortnite.island.disabled is 'Whether it was disabled';
comment on column fortnite.island.project_id is 'Project it was built in';
comment on table fortnite.island_change is 'What changed on an island between two fetches';
comment on column fortnite.island_change.change_id is 'Identity';
comment on column fortnite.island_change.island_id is 'The island';
comment on column fortnite.island_change.changed_at is 'Fetch that showed the change';
comment on column fortnite.island_change.resource is 'Resource that showed it';
comment on column fortnite.island_change.version is 'Version of the link after the change';
comment on column fortnite.island_change.activated_at is 'Activation date of that version';
comment on column fortnite.island_change.fields is 'Columns that changed, in alphabetical order';
comment on column fortnite.island_change.old is 'Their values before';
comment on column fortnite.island_change.new is 'Their values after';
"""


def upgrade() -> None:
    op.execute(ISLAND)
