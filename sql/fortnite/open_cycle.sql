-- requires: fortnite.fold_cycles
create function fortnite.open_cycle(p_ts timestamptz, p_source text, p_expected integer) returns void
language plpgsql
as $$
begin
  if p_ts <> date_bin('10 minutes', p_ts, '2000-01-01 00:00:00+00') then
    raise exception 'CCU cycle % does not start at a ten-minute step: cut it with date_bin', p_ts
      using errcode = 'invalid_parameter_value';
  end if;
  perform fortnite.fold_cycles(p_ts, p_source);
  delete from fortnite.ccu_batch as b where b.ts = p_ts and b.source = p_source;
  insert into fortnite.ccu_cycle as c (ts, source, expected)
  values (p_ts, p_source, p_expected)
  on conflict (ts, source) do update
    set
      expected = excluded.expected,
      observed = 0,
      negative = 0,
      complete = false,
      finished_at = null;
end
$$;

comment on function fortnite.open_cycle(timestamptz, text, integer) is
'Begins a CCU cycle of a listing, or begins it again: its samples stay and are overwritten, its counts '
'start anew. Earlier cycles of the listing that died are ended.';
