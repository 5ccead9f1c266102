-- requires: search.take_free
create function search.merge_marks(p_index text, p_least integer default 1000000) returns integer
language plpgsql
set jit = off
set work_mem = '64MB'
as $$
declare
  v_due boolean;
  v_rows integer;
begin
  select
    sum(d.documents) filter (where not d.merged)
    > greatest(p_least, sum(d.documents) filter (where d.merged))
  into v_due
  from search.dirty as d
  where d.index = p_index;
  if not coalesce(v_due, false) then
    return 0;
  end if;
  insert into search.dirty (index, ids, marked_at, merged)
  select
    p_index,
    array_agg(p.id order by p.id collate "C"),
    min(p.marked_at),
    true
  from (
    select
      f.id,
      f.marked_at,
      (row_number() over (order by f.marked_at, f.id collate "C") - 1) / 5000 as part
    from search.take_free(p_index) as f
  ) as p
  group by p.part;
  get diagnostics v_rows = row_count;
  return v_rows;
end
$$;

comment on function search.merge_marks(text, integer) is
'Puts marks of an index that nobody holds together, each document once, when more than so many documents and more than '
'were put together before have come since: while Elasticsearch is away what changes often waits once, not once a '
'change. Each keeps its place in the queue. Gives how many rows it made';
