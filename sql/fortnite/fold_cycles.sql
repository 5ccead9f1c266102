create function fortnite.fold_cycles(p_before timestamptz, p_source text) returns integer
language plpgsql
set enable_seqscan = off
set jit = off
as $$
declare
  v_folded integer;
begin
  with old as (
    select b.ts, b.batch
    from fortnite.ccu_batch as b
    where b.ts < p_before and b.source = p_source
    order by b.ts, b.batch
    for update
  ),

  gone as (
    delete from fortnite.ccu_batch as b
    using old as o
    where b.ts = o.ts and b.source = p_source and b.batch = o.batch
    returning b.ts, b.observed, b.negative
  ),

  held as (
    select
      g.ts,
      sum(g.observed) as observed,
      sum(g.negative) as negative
    from gone as g
    group by g.ts
  ),

  dead as (
    select c.ts
    from fortnite.ccu_cycle as c
    where
      c.source = p_source
      and c.ts = any(array(
        select u.ts from fortnite.ccu_cycle as u
        where u.source = p_source and u.ts < p_before and u.finished_at is null
        union
        select h.ts from held as h
      ))
    order by c.ts
    for no key update
  )

  update fortnite.ccu_cycle as c
  set
    observed = c.observed + coalesce(h.observed, 0),
    negative = c.negative + coalesce(h.negative, 0),
    finished_at = coalesce(c.finished_at, now())
  from dead as d
  left join held as h on d.ts = h.ts
  where c.ts = d.ts and c.source = p_source;
  get diagnostics v_folded = row_count;
  return v_folded;
end
$$;

comment on function fortnite.fold_cycles(timestamptz, text) is
'Ends the cycles of a listing before one that never ended: adds up what their batches counted, and leaves them '
'incomplete. One that still runs adds what comes later at its own end. Gives how many';
