"""Rankings of islands by day, kept as history, and how each island trends.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"

# Lists have a number: a row of a ranking is 60 bytes, where the name of a creator alone would take 33. Read through
# the view fortnite.ranking. Partitions, a month each, are made on demand by fortnite.make_ranking_room.
RANKING = """
create table fortnite.ranking_list (
  list_id integer generated always as identity primary key,
  since date,
  list text collate "C" not null check (list in ('global', 'tag', 'category', 'creator')),
  name text collate "C" not null,
  measure text collate "C" not null check (measure in ('average', 'minutes', 'peak')),
  unique (measure, list, name)
) with (fillfactor = 70);
comment on table fortnite.ranking_list is 'Lists that islands are ranked in';
comment on column fortnite.ranking_list.list_id is 'Our key, short for the rows';
comment on column fortnite.ranking_list.since is 'First day it has a row of; null: none';
comment on column fortnite.ranking_list.list is 'global, tag, category or creator';
comment on column fortnite.ranking_list.name is 'The tag, the category, the account of the creator; empty where global';
comment on column fortnite.ranking_list.measure is 'What islands are ordered by: average, minutes or peak';

create table fortnite.ranking_row (
  value double precision not null,
  day date not null,
  list_id integer not null,
  island_id integer not null,
  rank integer not null,
  previous_rank integer,
  best_rank integer not null,
  best_on date not null,
  primary key (island_id, list_id, day)
) partition by range (day);
create index on fortnite.ranking_row (list_id, day, rank);
-- A day's rows are added together: who reads all of them finds them without looking at the month.
create index on fortnite.ranking_row using brin (day) with (pages_per_range = 32, autosummarize = on);
-- Days on which an island had a better rank than on any day before: the latest of them says its best up to any day.
create index on fortnite.ranking_row (list_id, island_id, day) include (rank) where best_on = day;
comment on table fortnite.ranking_row is
'Who stood where in which list on a UTC day, down to a configured rank: read fortnite.ranking';
comment on column fortnite.ranking_row.value is 'What the rank follows: players on average, minutes, or players at the peak';
comment on column fortnite.ranking_row.day is 'UTC day';
comment on column fortnite.ranking_row.list_id is 'The list';
comment on column fortnite.ranking_row.island_id is 'The island';
comment on column fortnite.ranking_row.rank is 'Place in the list, from 1; no two share one';
comment on column fortnite.ranking_row.previous_rank is 'Place the day before; null: it had none that is kept';
comment on column fortnite.ranking_row.best_rank is 'Best place up to this day';
comment on column fortnite.ranking_row.best_on is 'First day it had that place';

create table fortnite.ranking_due (
  due_id bigint generated always as identity primary key,
  day date not null,
  source text not null check (source in ('ccu', 'metric', 'trend'))
);
comment on table fortnite.ranking_due is
'UTC days whose numbers came or changed after the day was over; writers only insert, who ranks the day again deletes';
comment on column fortnite.ranking_due.due_id is 'Identity';
comment on column fortnite.ranking_due.day is 'The day';
comment on column fortnite.ranking_due.source is
'What changed: ccu (its stored roll-up), metric (of the Data API) or trend (what trends are made of)';
"""

# The stored day is made again and what was late of it is forgotten in one step, on either foundation: from then on it is
# to be ranked again.
FOLLOW = """
create function fortnite.log_late_day() returns trigger
language plpgsql
as $$
begin
  insert into fortnite.ranking_due (day, source)
  select distinct
    (g.ts at time zone 'UTC')::date,
    'ccu'
  from gone as g
  where g.relation = 'fortnite.ccu_daily';
  return null;
end
$$;
comment on function fortnite.log_late_day() is
'Trigger of engine.late: a stored day was made again from late samples, so that it is to be ranked again.';
create trigger rank_again after delete on engine.late
referencing old table as gone
for each statement execute function fortnite.log_late_day();

create function fortnite.log_metric_day() returns trigger
language plpgsql
-- Whoever writes may have planned for loops alone: of a thousand rows against a thousand.
set enable_hashjoin = on
as $$
begin
  if tg_op = 'INSERT' then
    insert into fortnite.ranking_due (day, source)
    select distinct
      (c.ts at time zone 'UTC')::date,
      'metric'
    from changed as c
    where c.bucket_minutes = 1440 and not c.partial;
  else
    insert into fortnite.ranking_due (day, source)
    select distinct
      (c.ts at time zone 'UTC')::date,
      'metric'
    from changed as c
    inner join was as w on c.island_id = w.island_id and c.ts = w.ts and c.bucket_minutes = w.bucket_minutes
    where
      c.bucket_minutes = 1440
      and not c.partial
      and (c.peak_ccu, c.unique_players, c.plays, c.partial)
      is distinct from (w.peak_ccu, w.unique_players, w.plays, w.partial);
  end if;
  return null;
end
$$;
comment on function fortnite.log_metric_day() is
'Trigger of fortnite.island_metric: a closed day was told or revised, so that it is to be ranked again.';
create trigger rank_inserted after insert on fortnite.island_metric
referencing new table as changed
for each statement execute function fortnite.log_metric_day();
create trigger rank_updated after update on fortnite.island_metric
referencing old table as was new table as changed
for each statement execute function fortnite.log_metric_day();

-- Days that are there already are ranked by the first tick.
insert into fortnite.ranking_due (day, source)
select distinct
  (s.ts at time zone 'UTC')::date,
  'ccu'
from fortnite.ccu_daily_store as s
union all
select distinct
  (m.ts at time zone 'UTC')::date,
  'metric'
from fortnite.island_metric_day as m
where not m.partial;

-- What an island was on a past day is told by what changed since.
create index on fortnite.island_change using brin (changed_at);
"""

TREND = """
create table fortnite.island_trend (
  peak_1d_at timestamptz,
  peak_7d_at timestamptz,
  peak_30d_at timestamptz,
  plays_1d bigint,
  plays_7d bigint,
  plays_30d bigint,
  player_days_7d bigint,
  player_days_30d bigint,
  island_id integer primary key,
  day date not null,
  peak_1d integer,
  peak_7d integer,
  peak_30d integer,
  unique_players_1d integer,
  avg_1d real,
  avg_7d real,
  avg_30d real,
  growth_1d real,
  growth_7d real,
  growth_30d real,
  trending real,
  marked_trending real,
  rank integer,
  marked_rank integer,
  told_days_7d smallint,
  told_days_30d smallint
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
comment on table fortnite.island_trend is
'How an island fares by the UTC days that are over: computed once a day, and again when one of those days was corrected';
comment on column fortnite.island_trend.island_id is 'The island';
comment on column fortnite.island_trend.day is
'Last day of its spans when the numbers changed last; up to the latest day ranked they are still the same';
comment on column fortnite.island_trend.unique_players_1d is
'Players of the day, each counted once, as the Data API tells; null: withheld or not told yet';
comment on column fortnite.island_trend.player_days_7d is
'Unique players of each of 7 days, added up: who came on three days counts three times. No unique players of a week';
comment on column fortnite.island_trend.player_days_30d is
'Unique players of each of 30 days, added up: who came on three days counts three times. No unique players of a month';
comment on column fortnite.island_trend.told_days_7d is
'Days of these 7 of which the Data API told plays or unique players: with fewer, their sums are lower bounds';
comment on column fortnite.island_trend.told_days_30d is
'Days of these 30 of which the Data API told plays or unique players: with fewer, their sums are lower bounds';
comment on column fortnite.island_trend.trending is
'How far the average of the day lies above that of the 7 days before, in usual swings: see fortnite.trending_score';
comment on column fortnite.island_trend.marked_trending is 'That number when its document was last marked for it';
comment on column fortnite.island_trend.rank is
'Place on the day in the global list by average, else in the one by peak; null: none that is kept';
comment on column fortnite.island_trend.marked_rank is 'That place when its document was last marked for it';
"""

SPANS = {"1d": "the day", "7d": "7 days that end with it", "30d": "30 days that end with it"}
MEANINGS = {
    "peak_{}": "Highest sample of {}; null: no sample",
    "peak_{}_at": "First cycle of {} that had it",
    "plays_{}": "Times somebody began to play on {}, as the Data API tells of its days; null: of none",
    "avg_{}": "Mean of the samples of {}; null: no sample",
    "growth_{}": "That mean against that of as many days before, less 1 (0.5: half as many again), of {}; null: not"
    " covered well enough, or nobody before",
}


def upgrade() -> None:
    for block in (RANKING, FOLLOW, TREND):
        op.execute(block)
    for span, covers in SPANS.items():
        for name, meaning in MEANINGS.items():
            op.execute(
                f"comment on column fortnite.island_trend.{name.format(span)} is '{meaning.format(covers)}'"
            )
