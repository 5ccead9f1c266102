create function fortnite.close_cycle(p_ts timestamptz, p_source text, p_complete boolean) returns void
language plpgsql
as $$
begin
  with gone as (
    delete from fortnite.ccu_batch as b
    where b.ts = p_ts and b.source = p_source
    returning b.observed, b.negative
  )
  update fortnite.ccu_cycle as c
  set
    observed = c.observed + coalesce((select sum(g.observed) from gone as g), 0),
    negative = c.negative + coalesce((select sum(g.negative) from gone as g), 0),
    complete = p_complete,
    finished_at = coalesce(c.finished_at, now())
  where c.ts = p_ts and c.source = p_source;
  if not found then
    raise exception 'CCU cycle % of % was never opened: call fortnite.open_cycle first', p_ts, p_source
      using errcode = 'no_data_found';
  end if;
end
$$;

comment on function fortnite.close_cycle(timestamptz, text, boolean) is
'Ends a CCU cycle of a listing: adds up what its batches counted. Complete says that an island that is '
'absent from the listing is at zero.';
