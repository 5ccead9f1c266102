"""Time series on either foundation: CCU, its roll-ups, its cycles, records and performance.

Revision ID: 0004
Revises: 0003
"""

import json

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"

OLDEST_TIMESCALE = (2, 20)

SERIES = """
create schema series;
comment on schema series is 'Partitions of time series, reached through their parents alone';

create table engine.series (
  relation text primary key,
  source text references engine.series,
  store text not null,
  bucket interval not null,
  width interval not null,
  newest timestamptz not null default '-infinity',
  closing_until timestamptz not null default '-infinity',
  refreshed_until timestamptz not null default '-infinity',
  floor timestamptz not null default '-infinity',
  kept_from timestamptz not null default '-infinity',
  revision bigint not null default 0,
  retention_setting text,
  compression_setting text
) with (fillfactor = 20);
comment on table engine.series is 'Levels of each time series: samples and their roll-ups';
comment on column engine.series.relation is 'What is read: schema.name';
comment on column engine.series.source is 'Level it is rolled up from; null for samples';
comment on column engine.series.store is 'What holds the rows: schema.name';
comment on column engine.series.bucket is 'Time one row covers';
comment on column engine.series.width is 'Time one partition or chunk covers';
comment on column engine.series.newest is 'Latest instant stored by a pipeline; kept for samples alone';
comment on column engine.series.closing_until is 'Who changes a source row before it logs that in engine.late';
comment on column engine.series.refreshed_until is 'Buckets before it are stored, those after it are aggregated when read';
comment on column engine.series.floor is 'Nothing is written before it';
comment on column engine.series.kept_from is 'Rows before it may be gone: no roll-up is computed from them';
comment on column engine.series.revision is 'Rises when stored buckets change: what was made of them earlier may be stale';
comment on column engine.series.retention_setting is 'Option that says how many days rows are kept; null: for ever';
comment on column engine.series.compression_setting is 'Option that says after how many days chunks are compressed; null: never';

create table engine.late (
  late_id bigint generated always as identity primary key,
  relation text not null references engine.series,
  ts timestamptz not null,
  keys integer[] not null
);
create index on engine.late (relation, ts);
comment on table engine.late is 'Stored buckets whose source rows changed since; writers only insert';
comment on column engine.late.late_id is 'Identity';
comment on column engine.late.relation is 'Level that has the bucket';
comment on column engine.late.ts is 'Start of the bucket';
comment on column engine.late.keys is 'Which of its rows: keys of the series';

create function engine.lock_series(p_relation text, p_alone boolean) returns void
language sql
begin atomic
  select case
    when p_alone then pg_advisory_xact_lock('engine.series'::regclass::oid::integer, hashtext(p_relation))
    else pg_advisory_xact_lock_shared('engine.series'::regclass::oid::integer, hashtext(p_relation))
  end;
end;
comment on function engine.lock_series(text, boolean) is
'Held by the transaction: writers of a series share it, whoever moves one of its bounds has it alone.';

create function engine.log_late() returns trigger
language plpgsql
as $$
declare
  v_until timestamptz;
begin
  -- A bucket is closed while nobody else holds this lock: either the closing sees our rows, or we see the closing.
  perform engine.lock_series(s.source, false) from engine.series as s where s.relation = tg_argv[0];
  select s.closing_until into v_until from engine.series as s where s.relation = tg_argv[0];
  if exists (select from changed as c where c.ts < v_until) then
    -- Text, because each series has another key.
    execute format(
      'insert into engine.late (relation, ts, keys)
      select s.relation, date_bin(s.bucket, c.ts, ''2000-01-01 00:00:00+00''), array_agg(distinct c.%I)
      from changed as c cross join engine.series as s
      where c.ts < $1 and s.relation = $2
      group by 1, 2',
      tg_argv[1]
    ) using v_until, tg_argv[0];
  end if;
  if tg_op = 'UPDATE' then
    if exists (select from was as w where w.ts < v_until) then
      execute format(
        'insert into engine.late (relation, ts, keys)
        select s.relation, date_bin(s.bucket, w.ts, ''2000-01-01 00:00:00+00''), array_agg(distinct w.%1$I)
        from was as w cross join engine.series as s
        where w.ts < $1 and s.relation = $2
          and not exists (select from changed as c where c.ts = w.ts and c.%1$I = w.%1$I)
        group by 1, 2',
        tg_argv[1]
      ) using v_until, tg_argv[0];
    end if;
  end if;
  return null;
end
$$;
comment on function engine.log_late() is
'Trigger of samples: logs stored buckets whose source rows changed. Arguments: the level, its key column.';

create function engine.log_gone() returns trigger
language plpgsql
as $$
begin
  perform engine.lock_series(s.source, false) from engine.series as s where s.relation = tg_argv[0];
  insert into engine.late (relation, ts, keys)
  select
    s.relation,
    date_bin(s.bucket, old.ts, '2000-01-01 00:00:00+00'),
    array[(to_jsonb(old) ->> tg_argv[1])::integer]
  from engine.series as s
  where s.relation = tg_argv[0] and old.ts < s.closing_until;
  return null;
end
$$;
comment on function engine.log_gone() is
'Trigger of deleted samples: logs their stored buckets. Arguments: the level, its key column.';
"""

CCU = """
create table fortnite.ccu (
  ts timestamptz not null check (ts = date_bin('10 minutes', ts, '2000-01-01 00:00:00+00')),
  island_id integer not null,
  ccu integer not null check (ccu >= 0),
  primary key (ts, island_id)
){partitioned};
comment on table fortnite.ccu is 'Players in an island: one sample covers ten minutes; no row means unknown';
comment on column fortnite.ccu.ts is 'Start of the cycle, cut to 10 minutes';
comment on column fortnite.ccu.island_id is 'The island';
comment on column fortnite.ccu.ccu is 'Concurrent players; zero is a value';

create trigger late_insert after insert on fortnite.ccu
referencing new table as changed
for each statement execute function engine.log_late('fortnite.ccu_hourly', 'island_id');
create trigger late_update after update on fortnite.ccu
referencing old table as was new table as changed
for each statement execute function engine.log_late('fortnite.ccu_hourly', 'island_id');
-- By row: a hypertable with compression allows no other.
create trigger late_delete after delete on fortnite.ccu
for each row execute function engine.log_gone('fortnite.ccu_hourly', 'island_id');

insert into engine.series (relation, source, store, bucket, width, retention_setting, compression_setting) values
('fortnite.ccu', null, 'fortnite.ccu', '10 minutes', '1 day', 'ccu_retention_days', 'ccu_compression_days'),
(
  'fortnite.ccu_hourly', 'fortnite.ccu', 'fortnite.ccu_hourly_store', '1 hour', '1 day',
  'ccu_hourly_retention_days', 'ccu_compression_days'
),
('fortnite.ccu_daily', 'fortnite.ccu_hourly', 'fortnite.ccu_daily_store', '1 day', '30 days', null, null);
"""

# The two stores hold keys that order as the answer does, so that a plain max or min carries a value with its instant:
# peak_key is ccu * 2^32 - epoch (highest value, then earliest), first_key and last_key are epoch * 2^31 + ccu.
PLAIN_STORES = """
create table fortnite.ccu_hourly_store (
  ts timestamptz not null,
  ccu_sum bigint not null,
  peak_key bigint not null,
  first_key bigint not null,
  last_key bigint not null,
  island_id integer not null,
  samples integer not null,
  low integer not null,
  primary key (island_id, ts)
) partition by range (ts);
create table fortnite.ccu_daily_store (like fortnite.ccu_hourly_store including all) partition by range (ts);
"""

TIMESCALE_HYPERTABLE = """
select create_hypertable('fortnite.ccu', by_range('ts', interval '1 day'), create_default_indexes => false);
alter table fortnite.ccu set (
  timescaledb.compress, timescaledb.compress_segmentby = 'island_id', timescaledb.compress_orderby = 'ts'
);
"""

TIMESCALE_STORES = (
    """
create materialized view fortnite.ccu_hourly_store
with (timescaledb.continuous, timescaledb.materialized_only = true) as
select
  time_bucket('1 hour', ts) as ts,
  sum(ccu) as ccu_sum,
  max((ccu::bigint << 32) - date_part('epoch', ts - timestamptz '1970-01-01 00:00:00+00')::bigint) as peak_key,
  min((date_part('epoch', ts - timestamptz '1970-01-01 00:00:00+00')::bigint << 31) + ccu) as first_key,
  max((date_part('epoch', ts - timestamptz '1970-01-01 00:00:00+00')::bigint << 31) + ccu) as last_key,
  island_id,
  count(*)::integer as samples,
  min(ccu) as low
from fortnite.ccu
group by 1, island_id
with no data
""",
    """
create materialized view fortnite.ccu_daily_store
with (timescaledb.continuous, timescaledb.materialized_only = true) as
select
  time_bucket('1 day', ts) as ts,
  sum(ccu_sum)::bigint as ccu_sum,
  max(peak_key) as peak_key,
  min(first_key) as first_key,
  max(last_key) as last_key,
  island_id,
  sum(samples)::integer as samples,
  min(low) as low
from fortnite.ccu_hourly_store
group by 1, island_id
with no data
""",
    # Rows come in the order of ts: a BRIN index finds them as well as the index that was made, at no cost to writers,
    # and the planner cannot take it for the one on island_id.
    """
do $$
declare
  v_index regclass;
begin
  for v_index in
    select x.indexrelid
    from pg_index as x
    inner join timescaledb_information.continuous_aggregates as c
      on x.indrelid = format('%I.%I', c.materialization_hypertable_schema, c.materialization_hypertable_name)::regclass
    where c.view_schema = 'fortnite' and x.indnatts = 1
  loop
    execute format('drop index %s', v_index);
  end loop;
end;
$$
""",
    "create index on fortnite.ccu_hourly_store using brin (ts)",
    "create index on fortnite.ccu_daily_store using brin (ts)",
    "select set_chunk_time_interval('fortnite.ccu_hourly_store', interval '1 day')",
    "select set_chunk_time_interval('fortnite.ccu_daily_store', interval '30 days')",
    """
alter materialized view fortnite.ccu_hourly_store set (
  timescaledb.compress, timescaledb.compress_segmentby = 'island_id', timescaledb.compress_orderby = 'ts'
)
""",
)

STORE_COMMENTS = """
comment on {kind} fortnite.ccu_{level}_store is 'Stored part of fortnite.ccu_{level}: read that';
comment on column fortnite.ccu_{level}_store.ts is 'Start of the bucket';
comment on column fortnite.ccu_{level}_store.ccu_sum is 'Sum of the samples';
comment on column fortnite.ccu_{level}_store.peak_key is 'Peak * 2^32 - epoch second of its first instant';
comment on column fortnite.ccu_{level}_store.first_key is 'Epoch second of the first sample * 2^31 + its value';
comment on column fortnite.ccu_{level}_store.last_key is 'Epoch second of the last sample * 2^31 + its value';
comment on column fortnite.ccu_{level}_store.island_id is 'The island';
comment on column fortnite.ccu_{level}_store.samples is 'Number of samples';
comment on column fortnite.ccu_{level}_store.low is 'Lowest sample';
"""

NOW = """
create table fortnite.ccu_cycle (
  ts timestamptz not null,
  source text not null,
  expected integer not null,
  observed integer not null default 0,
  negative integer not null default 0,
  complete boolean not null default false,
  finished_at timestamptz,
  primary key (ts, source)
);
create index on fortnite.ccu_cycle (source, ts) where finished_at is null;
comment on table fortnite.ccu_cycle is 'What each CCU cycle expected and saw';
comment on column fortnite.ccu_cycle.ts is 'Start of the cycle, cut to 10 minutes';
comment on column fortnite.ccu_cycle.source is 'Listing it came from: entries or creator_page';
comment on column fortnite.ccu_cycle.expected is 'Islands asked for';
comment on column fortnite.ccu_cycle.observed is 'Islands that gave a sample; 0 until it is finished';
comment on column fortnite.ccu_cycle.negative is 'Values below zero or absent: no sample; 0 until it is finished';
comment on column fortnite.ccu_cycle.complete is 'Whether an island that is absent is known to be at zero';
comment on column fortnite.ccu_cycle.finished_at is 'When it ended, or the next one found it dead; null while it runs';

create table fortnite.ccu_batch (
  ts timestamptz not null,
  source text not null,
  batch bigint not null,
  observed integer not null,
  negative integer not null,
  primary key (ts, source, batch)
);
comment on table fortnite.ccu_batch is 'Counts of the batches of cycles that are not finished';
comment on column fortnite.ccu_batch.ts is 'The cycle';
comment on column fortnite.ccu_batch.source is 'Listing it came from';
comment on column fortnite.ccu_batch.batch is 'Hash of the codes in the batch: one sent twice counts once';
comment on column fortnite.ccu_batch.observed is 'Islands of the batch that gave a sample';
comment on column fortnite.ccu_batch.negative is 'Values of the batch that were no sample';

create table fortnite.island_now (
  island_id integer primary key,
  ts timestamptz not null,
  recorded_at timestamptz not null,
  since timestamptz not null,
  ccu integer not null,
  marked_ccu integer not null,
  record_ccu integer not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
create index on fortnite.island_now using brin (since);
comment on table fortnite.island_now is 'Latest CCU of an island, and its record';
comment on column fortnite.island_now.island_id is 'The island';
comment on column fortnite.island_now.ts is 'Cycle that brought this CCU; later ones with the same value leave the row alone';
comment on column fortnite.island_now.recorded_at is 'First cycle that reached the record';
comment on column fortnite.island_now.since is 'First cycle that sampled the island at all';
comment on column fortnite.island_now.ccu is 'Players in the latest sample';
comment on column fortnite.island_now.marked_ccu is 'Players when its document was last marked for it';
comment on column fortnite.island_now.record_ccu is 'Highest CCU ever sampled';

create table fortnite.island_days (
  island_id integer primary key,
  today date not null,
  samples_7d integer not null,
  samples_30d integer not null,
  peak_7d integer,
  peak_30d integer,
  sum_7d bigint not null,
  sum_30d bigint not null,
  revision bigint not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
comment on table fortnite.island_days is 'Days before today, summed up for performance: made again when stale or missing';
comment on column fortnite.island_days.island_id is 'The island';
comment on column fortnite.island_days.today is 'UTC day before which days are summed up';
comment on column fortnite.island_days.samples_7d is 'Samples of the stored ones of the 6 days before today';
comment on column fortnite.island_days.samples_30d is 'Samples of the stored ones of the 29 days before today';
comment on column fortnite.island_days.peak_7d is 'Highest of those of the 6 days; null: no sample';
comment on column fortnite.island_days.peak_30d is 'Highest of those of the 29 days; null: no sample';
comment on column fortnite.island_days.sum_7d is 'Sum of those of the 6 days';
comment on column fortnite.island_days.sum_30d is 'Sum of those of the 29 days';
comment on column fortnite.island_days.revision is 'Revision of the daily level they were summed up at';

create table fortnite.island_performance (
  island_id integer primary key,
  computed_at timestamptz not null,
  minutes_24h bigint,
  minutes_7d bigint,
  minutes_30d bigint,
  avg_24h real,
  avg_7d real,
  avg_30d real,
  coverage_24h real,
  coverage_7d real,
  coverage_30d real,
  marked_24h real,
  marked_7d real,
  marked_30d real,
  peak_24h integer,
  peak_7d integer,
  peak_30d integer
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
comment on table fortnite.island_performance is 'How an island fared lately; islands without a sample in 30 days have no row';
comment on column fortnite.island_performance.island_id is 'The island';
comment on column fortnite.island_performance.computed_at is 'Cycle up to which the numbers were computed when they changed last';
"""

SPANS = {
    "24h": "the hour of the latest cycle and the 23 hours before it",
    "7d": "the UTC day of the latest cycle and the 6 days before it",
    "30d": "the UTC day of the latest cycle and the 29 days before it",
}
MEANINGS = {
    "minutes": "Minutes played (10 a sample and player)",
    "avg": "Mean of the samples; null: no sample",
    "coverage": "Samples as a share of the ten-minute steps since the island was first sampled",
    "marked": "Mean when its document was last marked for it",
    "peak": "Highest sample",
}


def upgrade() -> None:
    timescale = _timescale(context.config.attributes.get("timeseries", "auto"))
    foundation = "timescale" if timescale else "plain"
    op.execute(SERIES)
    op.execute(CCU.format(partitioned="" if timescale else " partition by range (ts)"))
    if timescale:
        _timescale_stores()
    else:
        op.execute(PLAIN_STORES)
    for level in ("hourly", "daily"):
        kind = "view" if timescale else "table"
        op.execute(STORE_COMMENTS.format(kind=kind, level=level))
    op.execute(NOW)
    for span, covers in SPANS.items():
        for name, meaning in MEANINGS.items():
            op.execute(
                f"comment on column fortnite.island_performance.{name}_{span} is '{meaning}, over {covers}'"
            )
    op.execute(
        sa.text(
            "insert into engine.watermark (name, value) values ('timeseries', cast(:value as jsonb))"
        ).bindparams(value=json.dumps({"foundation": foundation}))
    )


def _timescale(asked: str) -> bool:
    """Whether to build on TimescaleDB; its extension exists afterwards if so."""
    if asked == "plain":
        return False
    missing = _what_is_missing()
    if missing is None:
        op.execute("create extension if not exists timescaledb")
        return True
    if asked == "timescale":
        raise RuntimeError(f"ETL_TIMESERIES is timescale, but {missing}; or set it to plain")
    return False


def _what_is_missing() -> str | None:
    one = (
        op.get_bind()
        .exec_driver_sql(
            "select coalesce(x.extversion, a.default_version), x.extversion is not null,"
            " current_setting('timescaledb.license', true),"
            " has_database_privilege(current_database(), 'create')"
            " from pg_available_extensions as a"
            " left join pg_extension as x on x.extname = a.name"
            " where a.name = 'timescaledb'"
        )
        .one_or_none()
    )
    if one is None:
        return "the server does not offer the extension timescaledb: install it"
    version, there, licence, allowed = one
    if licence is None:
        return (
            "timescaledb is not loaded: add it to shared_preload_libraries and restart the server"
        )
    if licence != "timescale":
        return f"timescaledb.license is {licence}, which lacks continuous aggregates: set it to timescale"
    if tuple(int(part) for part in version.split("-")[0].split(".")[:2]) < OLDEST_TIMESCALE:
        return f"timescaledb {version} is too old: install 2.20 or newer"
    if not there and not allowed:
        return "this role may not create the extension timescaledb: have an administrator do it"
    return None


def _timescale_stores() -> None:
    op.execute(TIMESCALE_HYPERTABLE)
    for statement in TIMESCALE_STORES:
        op.execute(statement)
