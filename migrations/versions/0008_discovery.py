"""What discovery shows: surfaces, their panels, who stands where in them and since when; raw pages.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"

SNAPSHOT = """
drop table raw.snapshot;
create table raw.snapshot (
  resource text collate "C" not null,
  taken_at timestamptz not null,
  key text collate "C" not null,
  page integer not null,
  body jsonb not null,
  primary key (taken_at, resource, key, page)
){partitioned};
comment on table raw.snapshot is 'Pages of periodic listings, kept for a configured age';
comment on column raw.snapshot.resource is 'Name of the resource';
comment on column raw.snapshot.taken_at is 'Instant of the listing the page belongs to';
comment on column raw.snapshot.key is 'What was listed, such as surface/region/panel';
comment on column raw.snapshot.page is 'Number of the page, from 0';
comment on column raw.snapshot.body is 'The page as received';

do $$
begin
  -- Several times quicker than the default; a build of PostgreSQL may lack it.
  alter table raw.snapshot alter column body set compression lz4;
exception when feature_not_supported then
  null;
end
$$;

insert into engine.series (relation, source, store, bucket, width, retention_setting, compression_setting) values
(
  'raw.snapshot', null, 'raw.snapshot', '10 minutes', '1 day',
  'snapshot_retention_days', 'snapshot_compression_days'
);
"""

HYPERTABLE = """
select create_hypertable('raw.snapshot', by_range('taken_at', interval '1 day'), create_default_indexes => false);
alter table raw.snapshot set (
  timescaledb.compress, timescaledb.compress_segmentby = 'resource, key', timescaledb.compress_orderby = 'taken_at, page'
);
"""

SURFACE = """
create table fortnite.surface (
  surface text collate "C" not null,
  region text collate "C" not null,
  taken_at timestamptz,
  tried_at timestamptz not null,
  trouble text,
  primary key (surface, region)
) with (fillfactor = 50);
comment on table fortnite.surface is 'Surfaces of discovery, by region: when they were read';
comment on column fortnite.surface.surface is 'Name of the surface upstream';
comment on column fortnite.surface.region is 'Matchmaking region it was asked for';
comment on column fortnite.surface.taken_at is 'Instant of the latest read that counts; null: none yet';
comment on column fortnite.surface.tried_at is 'Instant of the latest try';
comment on column fortnite.surface.trouble is 'Why that try read nothing; null: it did read';

create table fortnite.surface_read (
  taken_at timestamptz not null,
  surface text collate "C" not null,
  region text collate "C" not null,
  whole boolean not null,
  panel_ids integer[] not null,
  unread_ids integer[] not null,
  entries integer not null,
  primary key (taken_at, surface, region)
);
create index on fortnite.surface_read (surface, region, taken_at);
comment on table fortnite.surface_read is 'Reads of a surface that count: between two of them nothing is known';
comment on column fortnite.surface_read.taken_at is 'Instant of the read, cut to 10 minutes';
comment on column fortnite.surface_read.surface is 'The surface';
comment on column fortnite.surface_read.region is 'The region';
comment on column fortnite.surface_read.whole is 'Whether the name of every panel could be read';
comment on column fortnite.surface_read.panel_ids is 'Panels that were read to their end';
comment on column fortnite.surface_read.unread_ids is 'Panels that stood there and could not be read: nothing is known of them';
comment on column fortnite.surface_read.entries is 'Entries in the panels that were read';

create table fortnite.panel (
  panel_id integer generated always as identity primary key,
  surface text collate "C" not null,
  region text collate "C" not null,
  panel text collate "C" not null,
  name text,
  kind text,
  position integer not null,
  first_seen_at timestamptz not null,
  read_at timestamptz,
  dropped_at timestamptz,
  unique (surface, region, panel)
) with (fillfactor = 50);
comment on table fortnite.panel is 'Panels of surfaces, by region, as they are now; those upstream dropped are kept';
comment on column fortnite.panel.panel_id is 'Our key: a panel of a surface in a region';
comment on column fortnite.panel.surface is 'The surface';
comment on column fortnite.panel.region is 'The region';
comment on column fortnite.panel.panel is 'Name of the panel upstream';
comment on column fortnite.panel.name is 'Name shown to players; null: never told';
comment on column fortnite.panel.kind is 'panelType upstream';
comment on column fortnite.panel.position is 'Place on the surface, from 1';
comment on column fortnite.panel.first_seen_at is 'Read that showed it first';
comment on column fortnite.panel.read_at is 'Latest read that reached its end; null: none yet';
comment on column fortnite.panel.dropped_at is 'Read that no longer showed it; null: it is there';

create table fortnite.panel_span (
  panel_id integer not null,
  position integer not null,
  since timestamptz not null,
  until timestamptz,
  name text,
  primary key (panel_id, since)
);
create unique index panel_span_open on fortnite.panel_span (panel_id) where until is null;
comment on table fortnite.panel_span is 'Where a panel stood on its surface and what it was called, over time';
comment on column fortnite.panel_span.panel_id is 'The panel';
comment on column fortnite.panel_span.position is 'Place on the surface, from 1';
comment on column fortnite.panel_span.since is 'Read that showed it so first';
comment on column fortnite.panel_span.until is 'Read that showed it otherwise or not at all; null: it is still so';
comment on column fortnite.panel_span.name is 'Name shown to players';

create table fortnite.panel_event (
  panel_id integer not null,
  at timestamptz not null,
  event text not null check (event in ('ADDED', 'RENAMED', 'DROPPED')),
  name text,
  previous_name text,
  primary key (panel_id, at)
);
create index on fortnite.panel_event (at);
comment on table fortnite.panel_event is 'Panels that upstream added, renamed or dropped';
comment on column fortnite.panel_event.panel_id is 'The panel';
comment on column fortnite.panel_event.at is 'Read that showed it';
comment on column fortnite.panel_event.event is 'ADDED (also when it came back), RENAMED or DROPPED';
comment on column fortnite.panel_event.name is 'Name shown to players from then on; null where dropped or never told';
comment on column fortnite.panel_event.previous_name is 'Name before; null where there was none';
"""

PLACEMENT = """
create table fortnite.placement (
  panel_id integer not null,
  position integer not null,
  since timestamptz not null,
  entered_at timestamptz not null,
  code text collate "C" not null,
  primary key (panel_id, code)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
create index on fortnite.placement (code);
comment on table fortnite.placement is 'Who stands in which panel now: what left is not here';
comment on column fortnite.placement.panel_id is 'The panel';
comment on column fortnite.placement.position is 'Place in the panel, from 1';
comment on column fortnite.placement.since is 'Read that showed it at this place first';
comment on column fortnite.placement.entered_at is 'Read that showed it in the panel first, this time';
comment on column fortnite.placement.code is 'Link code: an island, or a set, playlist or reference';

create table fortnite.placement_ended (
  panel_id integer not null,
  position integer not null,
  since timestamptz not null,
  until timestamptz not null,
  entered_at timestamptz not null,
  code text collate "C" not null,
  primary key (code, until, panel_id),
  check (until > since)
);
-- Not spgist, though it takes a row in a third of the time: rows come in the order of time, and its tree never balances.
create index placement_ended_time on fortnite.placement_ended using gist (tstzrange(since, until));
comment on table fortnite.placement_ended is
'Spans of fortnite.placement_span that ended; the open ones are in fortnite.placement. Rows are only added';
comment on column fortnite.placement_ended.panel_id is 'The panel';
comment on column fortnite.placement_ended.position is 'Place in the panel, from 1';
comment on column fortnite.placement_ended.since is 'Read that showed it there first';
comment on column fortnite.placement_ended.until is 'Read that showed it elsewhere or gone';
comment on column fortnite.placement_ended.entered_at is
'Read that showed it in the panel first, that time: the same for all spans of one stay';
comment on column fortnite.placement_ended.code is 'Link code';

create table fortnite.placement_event (
  at timestamptz not null,
  panel_id integer not null,
  position integer,
  previous_position integer,
  event text not null check (event in ('ADDED', 'REMOVED', 'MOVED')),
  code text collate "C" not null,
  primary key (panel_id, at, code),
  check ((position is null) = (event = 'REMOVED') and (previous_position is null) = (event = 'ADDED'))
);
create index on fortnite.placement_event using brin (at);
comment on table fortnite.placement_event is 'Who entered, left or moved within a panel';
comment on column fortnite.placement_event.at is 'Read that showed it';
comment on column fortnite.placement_event.panel_id is 'The panel';
comment on column fortnite.placement_event.position is 'Place from then on; null where it left';
comment on column fortnite.placement_event.previous_position is 'Place before; null where it entered';
comment on column fortnite.placement_event.event is 'ADDED, REMOVED or MOVED';
comment on column fortnite.placement_event.code is 'Link code';

create table fortnite.first_placement (
  panel_id integer not null,
  seen_at timestamptz not null,
  code text collate "C" primary key
);
comment on table fortnite.first_placement is 'Where and when a link code was first seen in discovery';
comment on column fortnite.first_placement.panel_id is 'A panel that showed it then';
comment on column fortnite.first_placement.seen_at is 'Read that showed it first';
comment on column fortnite.first_placement.code is 'Link code';

create table fortnite.placement_daily (
  day date not null,
  panel_id integer not null,
  appearances integer not null,
  minutes integer not null,
  best_position integer not null,
  average_position real not null,
  reads integer not null,
  code text collate "C" not null,
  primary key (day, panel_id, code)
);
create index on fortnite.placement_daily (code, day);
comment on table fortnite.placement_daily is 'A UTC day of a link code in a panel; panels not read that day have no rows';
comment on column fortnite.placement_daily.day is 'UTC day';
comment on column fortnite.placement_daily.panel_id is 'The panel: surface and region with it';
comment on column fortnite.placement_daily.appearances is 'Stays in the panel that touched the day';
comment on column fortnite.placement_daily.minutes is 'Minutes of the day in the panel';
comment on column fortnite.placement_daily.best_position is 'Lowest place it had that day';
comment on column fortnite.placement_daily.average_position is 'Mean place, each weighted by its minutes';
comment on column fortnite.placement_daily.reads is 'Reads of the panel that day, of 144: few say little';
comment on column fortnite.placement_daily.code is 'Link code';

comment on column fortnite.island.source is
'Where it was first met: catalogue, entries, creator_page, details, discovery';
"""


def upgrade() -> None:
    foundation = (
        op.get_bind()
        .exec_driver_sql(
            "select value ->> 'foundation' from engine.watermark where name = 'timeseries'"
        )
        .scalar_one()
    )
    timescale = foundation == "timescale"
    op.execute(SNAPSHOT.format(partitioned="" if timescale else " partition by range (taken_at)"))
    if timescale:
        op.execute(HYPERTABLE)
    op.execute(SURFACE)
    op.execute(PLACEMENT)
