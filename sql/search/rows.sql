-- requires: search.digest
create function search.rows(p_index text, p_which text) returns text
language sql stable
as $$
  -- The fence has a row made into text once, not once for the body and once for its digest.
  select format(
    'select d.id, d.body, d.stamp is not null as stamped, search.digest(d.id, d.body, d.stamp) as digest'
    ' from (select d.id, d.body::text as body, %s as stamp from search.%I as d %s offset 0) as d',
    case when exists (
      select from pg_attribute as a
      where a.attrelid = format('search.%I', p_index || '_document')::regclass and a.attname = 'stamp'
    ) then 'd.stamp::text' else 'null::text' end,
    p_index || '_document',
    p_which
  )
$$;

comment on function search.rows(text, text) is
'Query for the documents of an index with their digests: id, body as text, stamped
(whether fields from ccu on are left out of it), digest. The second argument
says which, as the clauses after "from search.<index>_document as d"';
