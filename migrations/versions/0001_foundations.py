"""Landing, crawl schedule, throttles, tokens and runs: what every pipeline stands on.

Revision ID: 0001
Revises: None
"""

from alembic import op

revision = "0001"
down_revision = None

SCHEMAS = """
create schema raw;
comment on schema raw is 'What the upstream said, verbatim: the source of truth';
create schema if not exists engine; -- there already: it holds the revision
comment on schema engine is 'What all pipelines share: crawl schedule, throttles, tokens, watermarks';
create schema ops;
comment on schema ops is 'What operators read and call';
create schema analytics;
comment on schema analytics is 'What analysts read';
"""

RAW = """
create table raw.document (
  resource text collate "C" not null,
  key text collate "C" not null,
  version integer not null,
  fetched_at timestamptz not null,
  body_hash bytea not null,
  body jsonb not null,
  primary key (resource, key, version)
);
comment on table raw.document is 'A version of an upstream body; a new one whenever it differs from the latest';
comment on column raw.document.resource is 'Name of the resource, pipeline.noun';
comment on column raw.document.key is 'Key of the entity within its resource';
comment on column raw.document.version is 'Counts from 1 without gaps for each key';
comment on column raw.document.fetched_at is 'When this version was first fetched';
comment on column raw.document.body_hash is 'BLAKE2b-128 of the body without its volatile paths; empty: no body';
comment on column raw.document.body is 'The body as received; a JSON null: upstream had it no more';

do $$
begin
  -- Several times quicker than the default; a build of PostgreSQL may lack it.
  alter table raw.document alter column body set compression lz4;
exception when feature_not_supported then
  null;
end
$$;

create table raw.rejected (
  rejected_id bigint generated always as identity primary key,
  resource text collate "C" not null,
  key text collate "C",
  fetched_at timestamptz not null,
  reason text not null,
  body bytea,
  replayed_at timestamptz
);
create index on raw.rejected (resource, fetched_at);
create index on raw.rejected (resource, key);
comment on table raw.rejected is 'An item that could not be landed, set aside as bytes with its reason';
comment on column raw.rejected.rejected_id is 'Identity';
comment on column raw.rejected.resource is 'Name of the resource';
comment on column raw.rejected.key is 'Key of the entity where one could be read';
comment on column raw.rejected.fetched_at is 'When it was fetched or said to have happened';
comment on column raw.rejected.reason is 'Why it was set aside, for a person';
comment on column raw.rejected.body is 'The item as bytes, cut to a bound';
comment on column raw.rejected.replayed_at is 'When it was landed after all or a newer body was; null while it waits';

create table raw.snapshot (
  resource text not null,
  taken_at timestamptz not null,
  page integer not null,
  body jsonb not null,
  primary key (taken_at, resource, page)
) partition by range (taken_at);
comment on table raw.snapshot is 'Pages of periodic listings, kept for a configured age';
comment on column raw.snapshot.resource is 'Name of the resource';
comment on column raw.snapshot.taken_at is 'Start of the listing the page belongs to';
comment on column raw.snapshot.page is 'Number of the page, from 0';
comment on column raw.snapshot.body is 'The page as received';
"""

ENGINE = """
create sequence engine.lease;
comment on sequence engine.lease is 'Tokens of leases; each claim draws one';

create table engine.crawl (
  resource text collate "C" not null,
  key text collate "C" not null,
  class smallint not null default 0 check (class between 0 and 3),
  state text not null default 'active' check (state in ('active', 'dead', 'gone')),
  attempts smallint not null default 0,
  lease bigint,
  leased_until timestamptz not null default '-infinity',
  due_at timestamptz not null default now(),
  last_fetched_at timestamptz,
  last_changed_at timestamptz,
  version integer not null default 0,
  body_hash bytea,
  etag text,
  last_error text,
  -- The column that tells rows apart first: half the comparisons of a look-up.
  primary key (key, resource)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index crawl_due on engine.crawl (resource, class, due_at) where state <> 'dead';
comment on table engine.crawl is 'The crawl schedule: one row an entity to refresh';
comment on column engine.crawl.resource is 'Name of the resource';
comment on column engine.crawl.key is 'Key of the entity';
comment on column engine.crawl.class is '0 new, 1 popular, 2 ordinary, 3 dead-looking';
comment on column engine.crawl.state is 'active; dead: given up after too many attempts; gone: upstream has it no more';
comment on column engine.crawl.attempts is 'Claims since the last success; rises at the claim';
comment on column engine.crawl.lease is 'Token of the last claim; only its holder may land or settle';
comment on column engine.crawl.leased_until is 'End of the lease; -infinity: settled. Past: its holder died, and it is claimed alone';
comment on column engine.crawl.due_at is 'When to fetch next; infinity for what is only listed';
comment on column engine.crawl.last_fetched_at is 'Last successful fetch';
comment on column engine.crawl.last_changed_at is 'Last fetch that brought a new version';
comment on column engine.crawl.version is 'Number of that version; 0: none yet';
comment on column engine.crawl.body_hash is 'Hash of the latest version in raw.document';
comment on column engine.crawl.etag is 'Validator upstream gave with it';
comment on column engine.crawl.last_error is 'Why the last attempt failed; null after a success';

create table engine.throttle (
  name text primary key,
  capacity double precision not null check (capacity >= 1),
  per_second double precision not null check (per_second > 0),
  tokens double precision not null,
  refilled_at timestamptz not null default clock_timestamp(),
  closed_until timestamptz not null default '-infinity',
  closed_reason text
) with (fillfactor = 10);
comment on table engine.throttle is 'Token buckets shared by all workers';
comment on column engine.throttle.name is 'Name of the bucket';
comment on column engine.throttle.capacity is 'Most tokens it holds';
comment on column engine.throttle.per_second is 'Tokens that flow in each second';
comment on column engine.throttle.tokens is 'Tokens at refilled_at';
comment on column engine.throttle.refilled_at is 'When tokens was computed';
comment on column engine.throttle.closed_until is 'Nobody takes before this instant';
comment on column engine.throttle.closed_reason is 'What closed it';

create table engine.token (
  name text primary key,
  ciphertext bytea,
  expires_at timestamptz,
  refreshing_until timestamptz not null default '-infinity',
  refreshing_lease bigint
);
comment on table engine.token is 'Upstream tokens, encrypted with ETL_TOKEN_KEY';
comment on column engine.token.name is 'Name of the credentials';
comment on column engine.token.ciphertext is 'The token answer, encrypted';
comment on column engine.token.expires_at is 'When the access token ends';
comment on column engine.token.refreshing_until is 'End of the lease of whoever refreshes it';
comment on column engine.token.refreshing_lease is 'Token of that lease';

create table engine.watermark (
  name text primary key,
  value jsonb not null,
  moved_at timestamptz not null default now()
);
comment on table engine.watermark is 'How far a listing, a replay or a daily job has come';
comment on column engine.watermark.name is 'Whose progress';
comment on column engine.watermark.value is 'The progress itself';
comment on column engine.watermark.moved_at is 'When it moved last';

comment on table engine.alembic_version is 'Revision of the tables';
comment on column engine.alembic_version.version_num is 'The revision';

create table engine.sql_object (
  path text primary key,
  hash text not null,
  kind text not null,
  identity text not null,
  ordinal integer not null
);
comment on table engine.sql_object is 'What each file of sql/ made here, so that migrate can drop exactly that';
comment on column engine.sql_object.path is 'File, relative to sql/';
comment on column engine.sql_object.hash is 'SHA-256 of the file as it was applied';
comment on column engine.sql_object.kind is 'function, procedure, view or type; grants for a file of sql/roles';
comment on column engine.sql_object.identity is 'The object as drop takes it, argument types included';
comment on column engine.sql_object.ordinal is 'Order of creation; dropped in reverse';

create table engine.migration (
  migration_id integer generated always as identity primary key,
  version text not null,
  revision text not null,
  files integer not null,
  migrated_at timestamptz not null default clock_timestamp()
);
comment on table engine.migration is 'Each migrate that changed something: which code made this database';
comment on column engine.migration.migration_id is 'Identity';
comment on column engine.migration.version is 'Version of the headrace distribution that migrated';
comment on column engine.migration.revision is 'Revision of the tables it reached';
comment on column engine.migration.files is 'Files of sql/ it applied';
comment on column engine.migration.migrated_at is 'When';
"""

OPS = """
create table ops.run (
  run_id bigint generated always as identity primary key,
  job_id bigint,
  task text not null,
  attempt integer not null default 1,
  worker text not null,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  outcome text check (outcome in ('succeeded', 'failed', 'aborted', 'lost')),
  error text,
  numbers jsonb
) with (fillfactor = 70);
create index on ops.run (task, started_at desc);
create index on ops.run (started_at);
comment on table ops.run is 'History of jobs: one row a run of a task';
comment on column ops.run.run_id is 'Identity';
comment on column ops.run.job_id is 'Job of the queue; null outside it';
comment on column ops.run.task is 'Name of the task';
comment on column ops.run.attempt is 'Which try of the job';
comment on column ops.run.worker is 'host:pid of the worker';
comment on column ops.run.started_at is 'When it began';
comment on column ops.run.finished_at is 'When it ended; null while it runs';
comment on column ops.run.outcome is 'succeeded, failed, aborted, or lost with its worker';
comment on column ops.run.error is 'What went wrong, for a person';
comment on column ops.run.numbers is 'What the task counted';
"""


def upgrade() -> None:
    for block in (SCHEMAS, RAW, ENGINE, OPS):
        op.execute(block)
