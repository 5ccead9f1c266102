"""Metrics of the public Data API: buckets of an island, how far they were read, and what was lost.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"

# A plain table on either foundation: a day's rows are as many as islands somebody played, each is revised for a day
# and kept for ever, so there is nothing to drop or compress by time. Hours and ten minutes, where they are asked for,
# are kept apart from days so that deleting the old ones bloats nobody else.
METRIC = """
create table fortnite.island_metric (
  ts timestamptz not null,
  read_at timestamptz not null,
  minutes_played bigint,
  average_minutes_per_player double precision,
  retention_d1 double precision,
  retention_d7 double precision,
  island_id integer not null,
  peak_ccu integer,
  unique_players integer,
  plays integer,
  favorites integer,
  recommendations integer,
  bucket_minutes smallint not null,
  partial boolean not null,
  primary key (island_id, ts, bucket_minutes),
  check (ts = date_bin(make_interval(mins => bucket_minutes), ts, '2000-01-01 00:00:00+00'))
) partition by list (bucket_minutes);
create table fortnite.island_metric_day partition of fortnite.island_metric
for values in (1440) with (fillfactor = 85);
create table fortnite.island_metric_hour partition of fortnite.island_metric for values in (60);
create table fortnite.island_metric_ten_minutes partition of fortnite.island_metric for values in (10);
create index on fortnite.island_metric (ts);
-- As analytics.island_metric_day has it: who asks for a day there gets it as quickly.
create index on fortnite.island_metric_day (((ts at time zone 'UTC')::date));
comment on table fortnite.island_metric is
'Buckets of the public Data API in which it told at least one metric of an island. Null: withheld, because fewer than
five played or it was not computed yet';
comment on column fortnite.island_metric.ts is 'Start of the bucket (UTC)';
comment on column fortnite.island_metric.read_at is
'Read that brought what the row says; later ones said the same';
comment on column fortnite.island_metric.minutes_played is 'Minutes that all players together spent in it';
comment on column fortnite.island_metric.average_minutes_per_player is 'Mean minutes of a player';
comment on column fortnite.island_metric.retention_d1 is
'Share of the players of the day before that came back, 0 to 1; days alone';
comment on column fortnite.island_metric.retention_d7 is
'Share of the players of seven days before that came back, 0 to 1; days alone';
comment on column fortnite.island_metric.island_id is 'The island';
comment on column fortnite.island_metric.peak_ccu is 'Most players at once';
comment on column fortnite.island_metric.unique_players is 'Players, each counted once';
comment on column fortnite.island_metric.plays is 'Times somebody began to play';
comment on column fortnite.island_metric.favorites is 'Times it was added to favorites';
comment on column fortnite.island_metric.recommendations is 'Times a player recommended it';
comment on column fortnite.island_metric.bucket_minutes is 'Width of the bucket: 1440 (a UTC day), 60 or 10';
comment on column fortnite.island_metric.partial is
'Whether upstream had not said its last word: at read_at the bucket was running or had ended less than 30 minutes before';

create table fortnite.island_metric_state (
  island_id integer primary key,
  watched_from date not null,
  read_through date not null,
  peak_on date,
  peak_ccu integer
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
comment on table fortnite.island_metric_state is
'How far the daily metrics of an island were read: a day between its bounds that has no row in island_metric was
withheld, unless it is listed in island_metric_lost';
comment on column fortnite.island_metric_state.island_id is 'The island';
comment on column fortnite.island_metric_state.watched_from is
'First UTC day that is watched: the one it was first scheduled on; its first read brought days before it as well';
comment on column fortnite.island_metric_state.read_through is
'Last UTC day up to which each was read after it had closed, or is lost';
comment on column fortnite.island_metric_state.peak_on is
'Latest closed day of those upstream keeps that has a peak; null: none';
comment on column fortnite.island_metric_state.peak_ccu is 'Most players at once on that day';

create table fortnite.island_metric_lost (
  island_id integer not null,
  day date not null,
  primary key (island_id, day)
);
comment on table fortnite.island_metric_lost is
'Watched days that upstream dropped before they were read: read fortnite.metric_gap';
comment on column fortnite.island_metric_lost.island_id is 'The island';
comment on column fortnite.island_metric_lost.day is 'The UTC day';
"""


def upgrade() -> None:
    op.execute(METRIC)
