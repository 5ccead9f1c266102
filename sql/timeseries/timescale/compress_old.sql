-- requires: engine.timescale_schema
create function engine.compress_old(p_relation text, p_before timestamptz) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_store text;
  v_compressed integer;
begin
  select s.store into strict v_store from engine.series as s where s.relation = p_relation;
  execute format(
    'select count(%1$I.compress_chunk(c, if_not_compressed => true))
    from %1$I.show_chunks($1::regclass, older_than => $2) as c',
    engine.timescale_schema()
  )
  into v_compressed
  using v_store, p_before;
  return v_compressed;
end
$$;

comment on function engine.compress_old(text, timestamptz) is
'Compresses the chunks of a level of a series that end before an instant, those again that late rows went '
'to; gives how many chunks that is.';
