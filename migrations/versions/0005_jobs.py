"""The job queue: procrastinate's tables, and what we know of tasks, workers and pauses.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

from jobs.schema import bring_up

revision = "0005"
down_revision = "0004"

JOBS = """
create schema jobs;
comment on schema jobs is 'The job queue: tasks, workers and pauses; the jobs themselves are in public.procrastinate_jobs';

create table jobs.task (
  name text primary key,
  queue text not null,
  priority integer not null,
  lock text,
  queueing_lock text,
  cron text,
  about text not null,
  declared_at timestamptz not null default now()
);
comment on table jobs.task is 'Tasks as the worker that started last declared them';
comment on column jobs.task.name is 'Name of the task, pipeline.verb';
comment on column jobs.task.queue is 'Queue its jobs go to';
comment on column jobs.task.priority is 'Jobs with a higher one run first';
comment on column jobs.task.lock is 'No two jobs with the same one run at once';
comment on column jobs.task.queueing_lock is 'No two jobs with the same one wait at once';
comment on column jobs.task.cron is 'When it is due, in UTC; a sixth field is seconds; null: only when asked for';
comment on column jobs.task.about is 'What it does';
comment on column jobs.task.declared_at is 'Since when it is declared like this';

create table jobs.pause (
  name text primary key,
  paused_at timestamptz not null default now(),
  paused_by text not null default session_user,
  reason text
);
comment on table jobs.pause is 'Tasks and queues whose jobs no worker takes now';
comment on column jobs.pause.name is 'Name of the task or of the queue';
comment on column jobs.pause.paused_at is 'Since when';
comment on column jobs.pause.paused_by is 'Database user who paused it';
comment on column jobs.pause.reason is 'Why, for a person';

create table jobs.worker (
  worker_id bigint primary key references public.procrastinate_workers (id) on delete cascade,
  name text not null,
  host text not null,
  pid integer not null,
  queues text[],
  concurrency integer not null,
  started_at timestamptz not null default now()
);
comment on table jobs.worker is 'Who the workers of public.procrastinate_workers are';
comment on column jobs.worker.worker_id is 'Identity, drawn at the start of the worker';
comment on column jobs.worker.name is 'Name it was given';
comment on column jobs.worker.host is 'Machine it runs on';
comment on column jobs.worker.pid is 'Its process there';
comment on column jobs.worker.queues is 'Queues it takes jobs from; null: all';
comment on column jobs.worker.concurrency is 'Jobs it runs at once';
comment on column jobs.worker.started_at is 'When it started';
"""


def upgrade() -> None:
    bring_up(op.get_bind())
    op.execute(JOBS)
