"""Time series refuse writers that could not be seen, and count time in hours whatever the session's zone.

Revision ID: 0012
Revises: 0009
"""

from alembic import op

revision = "0012"
down_revision = "0009"

# A day of a session's own time zone has 23 to 25 hours; 24 hours always have 24.
WIDTHS = """
update engine.series set
  bucket = make_interval(secs => date_part('epoch', bucket)),
  width = make_interval(secs => date_part('epoch', width));
"""

# What a bucket was closed under is read in a statement after the lock: it must see what was committed meanwhile.
ISOLATION = """
create function engine.need_read_committed() returns void
language plpgsql
as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a time series is written in a transaction that is %, and could lose these rows: make it read committed',
      current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state';
  end if;
end
$$;
comment on function engine.need_read_committed() is
'Raises where a transaction would not see which buckets were closed since it began.';
"""

LOG_LATE = """
create or replace function engine.log_late() returns trigger
language plpgsql
as $$
declare
  v_until timestamptz;
begin
  perform engine.need_read_committed();
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
"""

LOG_GONE = """
create or replace function engine.log_gone() returns trigger
language plpgsql
as $$
begin
  perform engine.need_read_committed();
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
"""

# A stored day is made again and what was late of it is forgotten in one transaction, on either foundation. Summed-up
# days of the islands in question go with it, those of all others stay.
FORGET = """
create function fortnite.forget_days() returns trigger
language plpgsql
as $$
begin
  if exists (select from gone as g where g.relation = 'fortnite.ccu_daily') then
    perform engine.lock_series('fortnite.ccu_daily', true);
    delete from fortnite.island_days as d
    using (
      select distinct k.key from gone as g cross join unnest(g.keys) as k (key) where g.relation = 'fortnite.ccu_daily'
    ) as k
    where d.island_id = k.key;
  end if;
  return null;
end
$$;
comment on function fortnite.forget_days() is
'Trigger of engine.late: a stored day was corrected, so that days are summed up again for the islands it was about.';
create trigger forget_days after delete on engine.late
referencing old table as gone
for each statement execute function fortnite.forget_days();
comment on column engine.series.revision is
'Rises with each bucket that is stored; a correction leaves it, what was made of the bucket follows engine.late';
"""


def upgrade() -> None:
    for statement in (WIDTHS, ISOLATION, LOG_LATE, LOG_GONE, FORGET):
        op.execute(statement)
