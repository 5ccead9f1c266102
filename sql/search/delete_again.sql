-- requires: search.mark
create function search.delete_again(p_index text, p_age interval, p_most integer default 5000) returns integer
language plpgsql
set enable_seqscan = off
set jit = off
as $$
declare
  v_ids text[];
begin
  with due as (
    select d.id
    from search.deleted as d
    where d.index = p_index and not d.again and d.deleted_at < clock_timestamp() - p_age
    order by d.id collate "C"
    limit p_most
    for update skip locked
  ),

  taken as (
    update search.deleted as d
    set again = true
    from due as k
    where d.index = p_index and d.id = k.id
    returning d.id
  )

  select array_agg(t.id) into v_ids from taken as t;
  perform search.mark(p_index, v_ids);
  return coalesce(cardinality(v_ids), 0);
end
$$;

comment on function search.delete_again(text, interval, integer) is
'Marks documents whose delete is older than that and was sent once, up to so many; gives how many. Elasticsearch '
'forgets a delete after an hour, or when it restarts: an older request that comes after that brings the document back';
