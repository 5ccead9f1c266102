create function search.read(p_index text, p_ids text[])
returns table (id text, body text)
language plpgsql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
begin
  return query execute format(
    'select d.id, d.body::text from search.%I as d where d.id = any($1)', p_index || '_document'
  ) using p_ids;
end
$$;

comment on function search.read(text, text[]) is
'Documents of an index as its view search.<index>_document has them now. An id without a row has left
the view';
