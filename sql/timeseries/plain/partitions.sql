create function engine.partitions(p_store text, p_width interval)
returns table (
  partition regclass,
  starts_at timestamptz,
  ends_at timestamptz,
  filled boolean,
  compressed boolean,
  row_estimate bigint,
  bytes bigint
)
language sql stable
begin atomic
  select
    c.oid::regclass,
    n.starts_at,
    n.starts_at + p_width,
    pg_relation_size(c.oid) > 0,
    false,
    greatest(c.reltuples, 0)::bigint,
    pg_total_relation_size(c.oid)
  from pg_inherits as i
  inner join pg_class as c on i.inhrelid = c.oid
  cross join lateral (
    select to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC' as starts_at
  ) as n
  where i.inhparent = p_store::regclass;
end;

comment on function engine.partitions(text, interval) is
'What the rows of a level of a series lie in, each covering so long a time: its bounds, whether rows ever came '
'to it, whether it is compressed, its rows as of the last analyze, its bytes on disk.';
