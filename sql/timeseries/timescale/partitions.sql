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
language plpgsql stable
as $$
begin
  -- By name and as text: an update of the extension replaces its views, which nothing of ours may need.
  return query execute format(
    'select r.oid::regclass, c.range_start, c.range_end, true, c.is_compressed,
      greatest(r.reltuples, 0)::bigint + coalesce(z.numrows_pre_compression, 0), d.total_bytes
    from %I.chunks_detailed_size($1::regclass) as d
    inner join timescaledb_information.chunks as c using (chunk_schema, chunk_name)
    inner join pg_class as r on r.oid = format(''%%I.%%I'', c.chunk_schema, c.chunk_name)::regclass
    inner join _timescaledb_catalog.chunk as k on k.schema_name = c.chunk_schema and k.table_name = c.chunk_name
    left join _timescaledb_catalog.compression_chunk_size as z on z.chunk_id = k.id',
    (select n.nspname from pg_extension as x inner join pg_namespace as n on x.extnamespace = n.oid
    where x.extname = 'timescaledb')
  ) using p_store;
end
$$;

comment on function engine.partitions(text, interval) is
'What the rows of a level of a series lie in, each covering so long a time: its bounds, whether rows ever came '
'to it, whether it is compressed, its rows as of the last analyze and compression, its bytes on disk.';
