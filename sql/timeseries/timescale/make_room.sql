create function engine.make_room(p_relation text, p_ts timestamptz) returns void
language sql
begin atomic
  -- A late batch may touch a compressed chunk; the limit is meant for statements that do so by mistake.
  select set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true)
  from engine.series as s
  where s.relation = p_relation and p_ts < s.newest - s.width;
end;

comment on function engine.make_room(text, timestamptz) is
'Makes sure that rows of an instant can be written to a level of a series: on this foundation chunks come '
'by themselves, and a late batch is allowed to decompress what it must.';
