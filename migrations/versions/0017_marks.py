"""Marks in sets: a row for what a transaction changed, not one for each document. Crawl rows by key first.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"

MARKS = """
alter table search.dirty rename to dirty_before;
alter index search.dirty_marked_at rename to dirty_before_marked_at;
alter table search.dirty_before drop constraint dirty_pkey;

create table search.dirty (
  mark bigint primary key default nextval('search.mark'),
  index text not null,
  ids text[] not null check (ids <> '{}'),
  documents integer not null generated always as (cardinality(ids)) stored,
  merged boolean not null default false,
  leased_until timestamptz not null default '-infinity',
  marked_at timestamptz not null default clock_timestamp()
) with (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_cost_delay = 0
);
-- Written once, read once, gone within seconds: not worth being compressed.
alter table search.dirty alter column ids set storage external;
create index dirty_marked_at on search.dirty (index, marked_at);
create index dirty_leased on search.dirty (index) where leased_until > '-infinity';
comment on sequence search.mark is 'Names of marks: they tell them apart, and say nothing of their order';
comment on table search.dirty is 'Documents whose row changed and that are still to be sent: a row for all that one transaction changed';
comment on column search.dirty.mark is 'Tells it apart: the row is deleted as it was leased, and later changes have rows of their own';
comment on column search.dirty.index is 'Name of the index, without prefix or build';
comment on column search.dirty.ids is 'Ids of the documents; another row may have the same ones';
comment on column search.dirty.documents is 'How many they are';
comment on column search.dirty.merged is 'Whether it was made of several rows that waited long, or is a part of one that was';
comment on column search.dirty.leased_until is 'A sync has it until then';
comment on column search.dirty.marked_at is 'When it began to wait: both age and place in the queue';

insert into search.dirty (index, ids, marked_at)
select
  d.index,
  array_agg(d.id order by d.id collate "C"),
  min(d.marked_at)
from (
  select
    b.*,
    row_number() over (partition by b.index order by b.marked_at) / 5000 as part
  from search.dirty_before as b
) as d
group by d.index, d.part;

drop table search.dirty_before;
alter table search.rejected drop column mark;
"""

CRAWL = """
-- The column that tells rows apart first, as in raw.document.
alter table engine.crawl drop constraint crawl_pkey, add primary key (key, resource);
"""


def upgrade() -> None:
    op.execute(MARKS)
    op.execute(CRAWL)
