-- requires: search.mark
create function search.mark_lost(p_index text, p_ids text[]) returns void
language plpgsql
set jit = off
as $$
declare
  v_ids text[] := array(
    select k.id
    from (
      select unnest(p_ids) as id
      except
      select unnest(d.ids)
      from search.dirty as d
      where d.index = p_index and d.leased_until > '-infinity' and d.leased_until > clock_timestamp()
    ) as k
    order by k.id collate "C"
  );
begin
  for v_nth in 1..cardinality(v_ids) by 5000 loop
    perform search.mark(p_index, v_ids[v_nth:v_nth + 4999]);
  end loop;
end
$$;

comment on function search.mark_lost(text, text[]) is
'Marks documents that somebody sent and no longer held, as that request may have come after a newer one. Not those '
'that another lease has now: it is settled later than that request, and remembers what it deleted';
