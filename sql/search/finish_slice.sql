create function search.finish_slice(p_index text, p_physical text, p_slice bigint, p_sent integer) returns void
language plpgsql
as $$
begin
  lock table search.target in row exclusive mode;
  -- One at a time: of two that end the last two slices, the second has to see that the first is gone.
  perform from search.target as t
  where t.index = p_index and t.physical = p_physical
  for update;
  delete from search.slice as s
  where s.slice = p_slice;
  if found then
    update search.target as t
    set
      filled = t.filled + p_sent,
      filled_at = case
        when t.fill_after is null
          and not exists (select from search.slice as s where s.index = p_index and s.physical = p_physical)
          then clock_timestamp()
      end
    where t.index = p_index and t.physical = p_physical;
  end if;
end
$$;

comment on function search.finish_slice(text, text, bigint, integer) is
'Ends a slice whose documents the physical index has. The last one says that it is full. One that was ended
already, or belonged to an index that was lost meanwhile, changes nothing';
