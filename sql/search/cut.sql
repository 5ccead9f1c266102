-- requires: search.cover, search.draw
create function search.cut(p_index text, p_physical text, p_n integer, p_lease interval)
returns table (slice bigint, ids text[], version bigint)
language plpgsql
as $$
declare
  v_after text;
  v_upto text;
begin
  -- At once as strong as the writes below need it: raised later, it would deadlock with search.register.
  lock table search.target in row exclusive mode;
  select s.slice, s.after, s.upto into slice, v_after, v_upto
  from search.slice as s
  inner join search.target as t on s.index = t.index and s.physical = t.physical
  where
    s.index = p_index and s.physical = p_physical and s.leased_until < clock_timestamp()
    and t.state <> 'retired'
  order by s.slice
  limit 1
  for update of s skip locked;
  if slice is not null then
    update search.slice as s
    set leased_until = clock_timestamp() + p_lease
    where s.slice = cut.slice;
    execute format(
      'select array(select d.id from search.%I as d where d.id > $1 and d.id <= $2 order by d.id)',
      p_index || '_document'
    ) into ids using v_after, v_upto;
  else
    select t.fill_after into v_after
    from search.target as t
    where t.index = p_index and t.physical = p_physical and t.state <> 'retired'
    for update;
    if v_after is null then
      return;
    end if;
    -- Once, and where no other index wants them.
    if v_after = '' and not exists (
      select from search.target as t
      where t.index = p_index and t.physical <> p_physical and t.state <> 'retired'
    ) then
      perform search.cover(p_index);
    end if;
    execute format(
      'select array(select d.id from search.%I as d where d.id > $1 order by d.id limit $2)', p_index || '_document'
    ) into ids using v_after, p_n;
    update search.target as t
    set
      fill_after = case when cardinality(ids) = p_n then ids[p_n] end,
      filled_at = case
        when cardinality(ids) = 0
          and not exists (select from search.slice as s where s.index = p_index and s.physical = p_physical)
          then clock_timestamp()
      end
    where t.index = p_index and t.physical = p_physical;
    if cardinality(ids) = 0 then
      return;
    end if;
    insert into search.slice (index, physical, after, upto, leased_until)
    values (p_index, p_physical, v_after, ids[cardinality(ids)], clock_timestamp() + p_lease)
    returning search.slice.slice into slice;
  end if;
  -- Its documents are read in a later statement: whatever changes after that has a higher one.
  version := search.draw();
  return next;
end
$$;

comment on function search.cut(text, text, integer, interval) is
'Takes a slice of the documents that a physical index still wants, for so long: one that nobody finished in '
'time, else the next so many ids. With the version to send it under; the documents are to be read after it. No row '
'when nothing is free. The first slice covers what is pending, where no other index wants that';
