create function search.settle(
  p_index text,
  p_ids text[],
  p_marks bigint[],
  p_waiting text[] default '{}',
  p_refused text[] default '{}',
  p_reasons text[] default '{}'
)
returns integer
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  v_done text[];
begin
  with mine as (
    select
      d.ctid,
      d.mark
    from unnest(p_ids, p_marks) as l (id, mark)
    inner join search.dirty as d on l.id = d.id and l.mark = d.mark
    where d.index = p_index and l.id <> all(p_waiting)
    -- A row that is locked is being marked again, or is sent once more after its lease.
    for update of d skip locked
  ),

  done as (
    delete from search.dirty as d
    using mine as m
    where d.ctid = m.ctid and d.mark = m.mark
    returning d.id, d.mark
  ),

  parked as (
    insert into search.rejected as r (index, id, mark, reason)
    select
      p_index,
      d.id,
      d.mark,
      p.reason
    from unnest(p_refused, p_reasons) as p (id, reason)
    inner join done as d on p.id = d.id
    order by d.id collate "C"
    on conflict (index, id) do update
      set
        mark = excluded.mark,
        reason = excluded.reason,
        rejected_at = now()
  )

  select array_agg(d.id) into v_done from done as d;

  if p_waiting <> '{}' then
    with given_back as (
      select d.ctid
      from unnest(p_ids, p_marks) as l (id, mark)
      inner join search.dirty as d on l.id = d.id and l.mark = d.mark
      where d.index = p_index and l.id = any(p_waiting)
      for update of d skip locked
    )

    update search.dirty as d
    set leased_until = '-infinity'
    from given_back as b
    where d.ctid = b.ctid;
  end if;

  if exists (select from search.rejected as r where r.index = p_index) then
    with healed as (
      select r.ctid
      from search.rejected as r
      where r.index = p_index and r.id = any(v_done) and r.id <> all(p_refused)
      order by r.id collate "C"
      for update
    )

    delete from search.rejected as r
    using healed as h
    where r.ctid = h.ctid;
  end if;
  return coalesce(cardinality(v_done), 0);
end
$$;

comment on function search.settle(text, text[], bigint[], text[], text[], text[]) is
'Ends the lease of a batch. Deletes exactly the marks that were leased, so that a document marked
again meanwhile stays pending. Those waiting are free again at once; those refused are parked in
search.rejected with their reasons. Returns how many marks it deleted';
